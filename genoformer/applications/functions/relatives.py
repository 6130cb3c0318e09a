"""What the labels of the most similar training sequences say, beside the network.

A protein is compared with those of training by its spaced words. The labels of the nearest ones count by their
similarity; the network says what is believed where there are none. How much each counts is fitted on the validation
part. Networks beside similar sequences are what DeepGOPlus does (Kulmanov and Hoehndorf 2020,
doi:10.1093/bioinformatics/btz595), there found by alignment and added with fixed weights.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from genoformer.applications.functions.protein_words import WordIndex, letters_of, numbers_of, protein_of
from genoformer.errors import DataError
from genoformer.files.numbers import read_number
from genoformer.inference.bundle_digests import RELATIVES

N_NEAREST = 32
POWERS = (2, 3, 4, 6)
"""Of the similarity, by which nearest sequences count."""
PASSED_OVER = (0.5, 0.25, 0.125)
"""Of the largest similarity, from which on training sequences count as unknown when the fit looks again."""
AT_ONCE = 256
"""Sequences that are compared together: some megabytes for a thousand of training."""
MOST_RESIDUES = 4_000_000
"""Amino acids of training sequences that a bundle keeps."""
START = (0.0, 0.0, np.log(1e-5))
"""Logarithms of both factors and of the floor, where the search begins."""
BOUNDS = ((-5.0, 3.0), (-3.0, 3.0), (np.log(1e-9), 0.0))
"""Where it stays."""
LOWEST = 1e-12


@dataclass(frozen=True)
class Weighing:
    """How much similar sequences count.

    Attributes:
        power: Of the similarity.
        floor: The network counts as much as relatives whose similarities, to this power, sum up to it.
        of_network: Factor on the logits of the network.
        sharpness: Factor on what comes of both.
    """

    power: int = 4
    floor: float = 1e-3
    of_network: float = 1.0
    sharpness: float = 1.0


class Near(NamedTuple):
    """The most similar training sequences of some sequences.

    Attributes:
        similarities: Falling, float64 [n, K].
        numbers: Which they are, int64 [n, K].
    """

    similarities: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True)
class Relatives:
    """Training sequences with their labels, ready to be compared with.

    Attributes:
        ids: What each is called.
        proteins: uint8 amino acids by number, of each.
        labels: Numbers of the labels of each.
        n_labels: Of the model, C.
        is_multilabel: Any number of labels to a sequence; else one of several.
        weighing: How much they count.
    """

    ids: tuple[str, ...]
    proteins: tuple[np.ndarray, ...]
    labels: tuple[tuple[int, ...], ...]
    n_labels: int
    is_multilabel: bool
    weighing: Weighing = Weighing()

    @classmethod
    def of_training(
        cls, ids: Sequence[str], sequences: Sequence[np.ndarray], targets: np.ndarray, n_labels: int,
        *, is_multilabel: bool,
    ) -> Self:  # fmt: skip
        """Of coding sequences in frame; of more than ``MOST_RESIDUES`` every second, third … one.

        Args:
            ids: What each is called.
            sequences: uint8 base codes of each.
            targets: Class numbers [n], or 0 and 1 [n, C].
            n_labels: C.
            is_multilabel: Which of both.
        """
        step = 1 + sum(len(codes) // 3 for codes in sequences) // MOST_RESIDUES
        labels = [np.flatnonzero(row) for row in targets] if is_multilabel else targets[:, None]
        kept = tuple(tuple(int(number) for number in row) for row in labels[::step])
        proteins = tuple(protein_of(codes) for codes in sequences[::step])
        return cls(tuple(ids[::step]), proteins, kept, n_labels, is_multilabel)

    @cached_property
    def table(self) -> np.ndarray:
        """Labels as 0 and 1, float64 [N, C]."""
        table = np.zeros((len(self.labels), self.n_labels))
        for row, numbers in zip(table, self.labels, strict=True):
            row[list(numbers)] = 1.0
        return table

    @cached_property
    def usual(self) -> np.ndarray:
        """Share of the training sequences that have each label, [C], never none or all."""
        n = len(self.labels)
        return (self.table.sum(axis=0) + 0.5) / (n + 1.0)

    @cached_property
    def index(self) -> WordIndex:
        """The proteins, ready to be compared with; made when it is needed."""
        return WordIndex(self.proteins)

    def nearest(self, sequences: Sequence[np.ndarray]) -> Near:
        """The most similar training sequences of each.

        Args:
            sequences: uint8 base codes of each, in frame.
        """
        return self.looks(sequences, ())[0]

    def looks(self, sequences: Sequence[np.ndarray], passed_over: Sequence[float] = PASSED_OVER) -> list[Near]:
        """The same, and again as if nearer ones were not known.

        Args:
            sequences: uint8 base codes of each, in frame.
            passed_over: Parts of the largest similarity, falling: in each further look training sequences as similar as
                this, and more, are passed over.
        """
        blocks = [self._looks(sequences[at : at + AT_ONCE], passed_over) for at in range(0, len(sequences), AT_ONCE)]
        none = np.zeros((0, min(N_NEAREST, len(self.proteins))))
        empty = [Near(none, none.astype(np.int64))] * (1 + len(passed_over))
        return [Near(*map(np.concatenate, zip(*one, strict=True))) for one in zip(empty, *blocks, strict=True)]

    def _looks(self, sequences: Sequence[np.ndarray], passed_over: Sequence[float]) -> list[Near]:
        found = self.index.similarity([protein_of(codes) for codes in sequences])
        looks = [_largest(found)]
        for share in passed_over:
            found[found >= share * looks[0].similarities[:, :1]] = 0.0
            looks.append(_largest(found))
        return looks

    def beside(self, outputs: np.ndarray, near: Near, weighing: Weighing | None = None) -> np.ndarray:
        """Logits of network and relatives together, float32 [n, C].

        What the network says is what is believed before relatives are looked at: it stands where nothing is similar,
        and the nearer they are, the more their labels count in its place.

        Args:
            outputs: Logits of the network, [n, C].
            near: From ``nearest``.
            weighing: How much each counts, by default as it was fitted.
        """
        weighing = weighing or self.weighing
        logits = weighing.of_network * np.asarray(outputs, np.float64)
        before = expit(logits) if self.is_multilabel else softmax(logits, axis=1)
        return (weighing.sharpness * self._after(before, near, weighing)).astype(np.float32)

    def alone(self, near: Near) -> np.ndarray:
        """The same without a network, from how usual each label is in training."""
        return self._after(self.usual, near, self.weighing).astype(np.float32)

    def _after(self, before: np.ndarray, near: Near, weighing: Weighing) -> np.ndarray:
        """Log-odds of terms, or logarithms of probabilities of classes, of which ``before`` was believed."""
        votes, floor = near.similarities**weighing.power, weighing.floor  # [n, K]
        with_label = np.zeros((len(votes), self.n_labels))
        for place in range(votes.shape[1]):
            with_label += votes[:, place, None] * self.table[near.numbers[:, place]]
        share = (floor * before + with_label) / (floor + votes.sum(axis=1, keepdims=True))
        share = np.clip(share, LOWEST, 1 - LOWEST)
        return np.log(share) - np.log1p(-share) if self.is_multilabel else np.log(share)

    def fitted(self, outputs: np.ndarray, looks: Sequence[Near], targets: np.ndarray) -> Self:
        """The same, weighing so that the labels of sequences are likeliest which training has not seen.

        Each counts several times: as it is, and as if its nearer relatives were not known, so that the weights hold for
        strangers, too, however near the sequences are.

        Args:
            outputs: Logits of the network, [n, C].
            looks: From ``looks``.
            targets: Their labels, class numbers [n] or 0 and 1 [n, C].
        """
        near = Near(*map(np.concatenate, zip(*looks, strict=True)))
        outputs, targets = (np.concatenate([values] * len(looks)) for values in (outputs, targets))

        def weighing_of(found: Sequence[float], power: int) -> Weighing:
            of_network, sharpness, floor = np.exp(found).tolist()
            return Weighing(power, floor, of_network, sharpness)

        def cost(found: Sequence[float], power: int) -> float:
            return _cost(self.beside(outputs, near, weighing_of(found, power)), targets)

        how = {"method": "Nelder-Mead", "bounds": BOUNDS}
        results = [(minimize(cost, START, args=(power,), **how), power) for power in POWERS]
        best, power = min(results, key=lambda result: float(result[0].fun))
        return replace(self, weighing=weighing_of(best.x, power))

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return {
            "ids": list(self.ids),
            "proteins": [letters_of(protein) for protein in self.proteins],
            "labels": [list(numbers) for numbers in self.labels],
            **asdict(self.weighing),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any], n_labels: int, *, is_multilabel: bool, name: str) -> Self:
        """What ``to_dict`` gave; DataError, which names the model, if it is something else."""
        try:
            ids, proteins, labels = (stored[name] for name in ("ids", "proteins", "labels"))
            numbers = {field.name: read_number(stored[field.name]) for field in fields(Weighing)}
            if not len(ids) == len(proteins) == len(labels) > 0:
                raise ValueError(f"{len(ids)} ids, {len(proteins)} proteins and {len(labels)} labels")
            if not all(isinstance(one, str) and one.isprintable() for one in ids):
                raise ValueError("an id is none")
            if sum(map(len, proteins)) > 2 * MOST_RESIDUES:
                raise ValueError("too many amino acids")
            if not all(type(one) is int and 0 <= one < n_labels for row in labels for one in row):
                raise ValueError("a label is none of the model")
            if numbers["power"] not in POWERS or numbers["floor"] <= 0:
                raise ValueError(f"power {numbers['power']}, floor {numbers['floor']}")
            power = int(numbers.pop("power"))
            weighing = Weighing(power, **numbers)
            kept = tuple(tuple(row) for row in labels)
            numbers_of_each = tuple(numbers_of(one) for one in proteins)
            return cls(tuple(ids), numbers_of_each, kept, n_labels, is_multilabel, weighing)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            message = f'calibration.json holds no "{RELATIVES}" that can be used ({error}).'
            raise DataError("MODEL-003", message, where=name) from error


def _largest(similarities: np.ndarray) -> Near:
    """The largest of each row, falling, float64; columns by number."""
    n = min(N_NEAREST, similarities.shape[1])
    largest = np.argpartition(-similarities, n - 1, axis=1)[:, :n]
    order = np.argsort(-np.take_along_axis(similarities, largest, axis=1), axis=1, kind="stable")
    numbers = np.take_along_axis(largest, order, axis=1)
    return Near(np.take_along_axis(similarities, numbers, axis=1).astype(np.float64), numbers)


def _cost(logits: np.ndarray, targets: np.ndarray) -> float:
    """Mean negative log-likelihood of labels."""
    logits = logits.astype(np.float64)
    if targets.ndim == 1:
        return -float(log_softmax(logits, axis=1)[np.arange(len(targets)), targets].mean())
    return -float(np.log(np.maximum(expit(np.where(targets > 0, logits, -logits)), LOWEST)).mean())
