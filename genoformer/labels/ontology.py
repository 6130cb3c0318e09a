"""Terms that imply others: an OBO file as a graph along is_a and part_of, without its roots.

obonet reads the file; what is wrong with it is said with the line of the term.
"""

import contextlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TextIO, cast

import numpy as np
import obonet

from genoformer.annotation.text_lines import LineHandle, read_lines
from genoformer.errors import DataError

RELATIONS = ("is_a", "part_of")
"""What carries an annotation upwards in the Gene Ontology: https://geneontology.org/docs/ontology-relations."""


@dataclass(frozen=True)
class Ontology:
    """A graph of terms, children below their parents.

    Attributes:
        parents: For each term the terms that it directly implies, roots left out; every parent is a key itself.
        names: Names by term.
        namespaces: Branch of each term, such as "cellular_component".
        replaced: Other ids that stand for a term (alt_id).
        roots: Terms without parents: every annotation of their branch says them.
    """

    parents: dict[str, tuple[str, ...]]
    names: dict[str, str]
    namespaces: dict[str, str]
    replaced: dict[str, str]
    roots: frozenset[str]

    @cached_property
    def ancestors(self) -> dict[str, frozenset[str]]:
        """Every term that a term implies, itself included."""
        found: dict[str, frozenset[str]] = {}
        for term in TopologicalSorter(self.parents).static_order():  # parents first
            found[term] = frozenset({term}).union(*(found[parent] for parent in self.parents[term]))
        return found

    def implied(self, terms: Iterable[str]) -> tuple[set[str], list[str]]:
        """All terms that an annotation says, without roots.

        Args:
            terms: Ids, also alternative ones.

        Returns:
            The terms, and ids that are not in the ontology.
        """
        found: set[str] = set()
        unknown = []
        for term in terms:
            term = self.replaced.get(term, term)
            if term in self.parents:
                found |= self.ancestors[term]
            elif term not in self.roots:
                unknown.append(term)
        return found, unknown

    def among(self, terms: Collection[str]) -> dict[str, list[str]]:
        """For each of these terms, in their order, those of them that it implies, itself left out; sorted."""
        chosen = set(terms)
        return {term: sorted((self.ancestors[term] & chosen) - {term}) for term in terms}


def read_obo(path: str | Path) -> Ontology:
    """Read an OBO file, plain or gzip; obsolete terms are left out.

    Parents that the file does not define, as in a slim, are left out: an annotation goes up as far as the file does.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, if it is no OBO file, an id comes twice, or terms imply each other in a circle.
    """
    text = [line for _, line in read_lines(Path(path))]
    lines = _term_lines(text, path)
    try:
        with _without_warnings():
            graph = obonet.read_obo(cast(TextIO, LineHandle(iter(text))), ignore_obsolete=True)
    except Exception as error:  # obonet raises ValueError, KeyError, IndexError and others for bad files
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            "OBO-001", f"cannot be read as OBO: {type(error).__name__}: {reason}.", where=str(path)
        ) from error
    terms = [term for term in lines if term in graph]
    edges: dict[str, set[str]] = {term: set() for term in terms}
    for child, parent, relation in graph.edges(keys=True):
        if relation in RELATIONS and child in edges and parent in edges:
            edges[child].add(parent)
    _check_circles(edges, lines, path)
    # A term without parents and children is the root of nothing: pieces of an ontology have such terms.
    roots = {parent for parents in edges.values() for parent in parents if not edges[parent]}
    kept = [term for term in terms if term not in roots]
    data = graph.nodes(data=True)
    return Ontology(
        parents={term: tuple(sorted(edges[term] - roots)) for term in kept},
        names={term: data[term].get("name", term) for term in kept},
        namespaces={term: data[term].get("namespace", "") for term in kept},
        replaced={other: term for term in kept for other in data[term].get("alt_id", ())},
        roots=frozenset(roots),
    )


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """By the logger of everyone, obonet warns of headers without a name, which nothing here needs."""
    logger = logging.getLogger()

    def is_of_others(record: logging.LogRecord) -> bool:
        return Path(record.pathname).parent.name != obonet.__name__

    logger.addFilter(is_of_others)
    try:
        yield
    finally:
        logger.removeFilter(is_of_others)


def information_content(labels: np.ndarray, parents: Mapping[int, Collection[int]]) -> np.ndarray:
    """Information that a term adds to its parents, in bits, float64 [C].

    -log2 of the share of the sequences with all parents that have the term, counted on labels that hold every implied
    term. A term that occurs on none has the information of one occurrence.

    Args:
        labels: 0 or 1, [n, C].
        parents: For each term the columns of its parents.

    Reference:
        Clark and Radivojac 2013, doi:10.1093/bioinformatics/btt228, section 2.1.
    """
    yes = labels.astype(bool)
    found = np.zeros(yes.shape[1])
    for term in range(yes.shape[1]):
        with_parents = yes[:, list(parents.get(term, ()))].all(axis=1)
        n_parents, n_term = max(1, with_parents.sum()), max(1, (with_parents & yes[:, term]).sum())
        found[term] = max(0.0, -np.log2(n_term / n_parents))
    return found


def _term_lines(text: list[str], path: str | Path) -> dict[str, int]:
    """Line of the id of every [Term] stanza.

    Raises:
        DataError: If there is no term, or one id has two stanzas.
    """
    found: dict[str, int] = {}
    stanza = ""
    for number, line in enumerate(text, start=1):
        if line.startswith("["):
            stanza = line.strip()
        elif stanza == "[Term]" and line.startswith("id:"):
            term = line.removeprefix("id:").split("!")[0].strip()
            if term in found:
                where = f"{path} line {number}"
                raise DataError("OBO-002", f'the term "{term}" is also in line {found[term]}.', where=where)
            found[term] = number
    if not found:
        raise DataError(
            "OBO-001", "there is no [Term].", where=str(path), fix="Give an OBO file, such as go-basic.obo."
        )
    return found


def _check_circles(edges: dict[str, set[str]], lines: dict[str, int], path: str | Path) -> None:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        circle = error.args[1]
        where = f"{path} line {min(lines[term] for term in circle)}"
        text = " → ".join(reversed(circle))
        raise DataError(
            "OBO-003", f"terms imply each other in a circle: {text}.", where=where,
            fix="Remove one of these is_a or part_of lines; go-basic.obo has no circles.",
        ) from error  # fmt: skip
