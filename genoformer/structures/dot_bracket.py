"""Base pairs as text: one letter per base, brackets for the two ends of a pair, "." for a base without one.

Pairs that cross need brackets of another kind: ``()``, ``[]``, ``{}``, ``<>``, then ``Aa`` to ``Zz``, as ViennaRNA and
Rfam write them.
"""

from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase

import numpy as np

OPENING = "([{<" + ascii_uppercase
CLOSING = ")]}>" + ascii_lowercase
UNPAIRED = ".,:_-~"
"""Letters of bases without a pair; the WUSS notation of Infernal has several, by the kind of loop."""
ALONE = -1
"""Partner of a base without one."""


def parse_dot_bracket(text: str) -> np.ndarray:
    """Partners of all bases.

    Args:
        text: Brackets and dots, one per base.

    Returns:
        int64 [L]: the number of the partner, 0-based, or ``ALONE``.

    Raises:
        ValueError: If brackets do not balance, or a letter is none; the sentence names letter and position, from 1.

    Example:
        >>> parse_dot_bracket("(.[).]").tolist()
        [3, -1, 5, 0, -1, 2]
    """
    partners = np.full(len(text), ALONE, np.int64)
    open_ends: dict[str, list[int]] = {}
    for i, letter in enumerate(text):
        if letter in OPENING:
            open_ends.setdefault(letter, []).append(i)
        elif letter in CLOSING:
            waiting = open_ends.get(OPENING[CLOSING.index(letter)])
            if not waiting:
                raise ValueError(f"{letter!r} at position {i + 1} closes nothing")
            j = waiting.pop()
            partners[i], partners[j] = j, i
        elif letter not in UNPAIRED:
            raise ValueError(f"{letter!r} at position {i + 1} is no bracket and no dot")
    for letter, waiting in open_ends.items():
        if waiting:
            raise ValueError(f"{letter!r} at position {waiting[-1] + 1} is never closed")
    return partners


def write_dot_bracket(partners: np.ndarray) -> str:
    """The text of partners: each pair has the first kind of bracket in which it crosses no pair that opens before it.

    Args:
        partners: As ``parse_dot_bracket`` gives them.

    Raises:
        ValueError: If partners are not mutual, or pairs cross in more ways than there are brackets.

    Example:
        >>> write_dot_bracket(np.array([3, -1, 5, 0, -1, 2]))
        '(.[).]'
    """
    check_partners(partners)
    letters = ["."] * len(partners)
    for i, j, kind in _kinds(partners):
        if kind is None:
            raise ValueError(f"pairs cross in more than {len(OPENING)} ways at position {i + 1}")
        letters[i], letters[j] = OPENING[kind], CLOSING[kind]
    return "".join(letters)


def writable(partners: np.ndarray) -> np.ndarray:
    """Partners without the pairs for which no kind of bracket is left; see ``write_dot_bracket``."""
    kept = [(i, j) for i, j, kind in _kinds(partners) if kind is not None]
    return partners_of(np.array(kept), len(partners))


def _kinds(partners: np.ndarray) -> Iterator[tuple[int, int, int | None]]:
    """Pairs i < j, by i, with the first kind of bracket in which it crosses none that opens before it, or none."""
    ends: list[list[int]] = [[] for _ in OPENING]  # for each kind, the ends of the pairs that are open
    for i, j in pairs_of(partners).tolist():
        for kind, opened in enumerate(ends):
            while opened and opened[-1] < i:
                opened.pop()
            if not opened or opened[-1] > j:
                opened.append(j)
                yield i, j, kind
                break
        else:
            yield i, j, None


def check_partners(partners: np.ndarray) -> None:
    """``ValueError`` if a base is not the partner of its partner, or is its own."""
    paired = np.flatnonzero(partners != ALONE)
    for i in paired.tolist():
        j = int(partners[i])
        if not 0 <= j < len(partners) or partners[j] != i or i == j:
            raise ValueError(f"base {i + 1} says that it pairs with {j + 1}, which does not say the same")


def pairs_of(partners: np.ndarray) -> np.ndarray:
    """Pairs i < j, int64 [n, 2], by i."""
    first = np.flatnonzero(partners > np.arange(len(partners)))
    return np.stack([first, partners[first]], axis=1)


def partners_of(pairs: np.ndarray, length: int) -> np.ndarray:
    """Partners of all bases from pairs [n, 2], each base in at most one; the inverse of ``pairs_of``."""
    partners = np.full(length, ALONE, np.int64)
    pairs = np.asarray(pairs, np.int64).reshape(-1, 2)
    partners[pairs[:, 0]], partners[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    return partners
