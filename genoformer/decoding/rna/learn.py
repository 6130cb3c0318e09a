"""Learning to find RNA genes from annotated ones: profiles from all, confidence from what profiles of others find.

For the confidence the genomes are divided; each part is searched with profiles of the others, so that a score means of
a strange genome what it says.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from genoformer.annotation.rna_tracks import LONGEST_LABELLED_TRNA_BP
from genoformer.annotation.tracks import NO_RNA, RRNA, TRNA
from genoformer.decoding.rna import finder
from genoformer.decoding.rna.finder import MOST_SCORE, Confidence, Found, RnaFinder
from genoformer.decoding.rna.learn_cloverleaf import Gene, learn_cloverleaf
from genoformer.decoding.rna.learn_profile import learn_profile
from genoformer.decoding.rna.ribosomal import RRNA as RRNA_KINDS
from genoformer.sequence.alphabet import N_CODE, reverse_complement

SHORTEST_TRNA_BP = 60
"""Of annotated genes that are learned from; shorter ones are pieces."""
AROUND_BP = 30
"""Of a tRNA gene that is learned from: annotated ends may be off."""
RIDGE = 0.05
ASSUMED = 2.0
"""Places that are none at the least score, and genes at the greatest, that are added to what is seen of each kind."""
MOST_PARTS = 8
LEAST_GROUPS = 3
"""With fewer groups, genomes are divided instead."""


@dataclass(frozen=True)
class Labelled:
    """A stretch of sequence whose RNA genes are known.

    Attributes:
        genome: Its name.
        group: Of the genome.
        codes: uint8 base codes, [L].
        tracks: Its labels, uint8 [2, L].
    """

    genome: str
    group: str
    codes: np.ndarray
    tracks: np.ndarray


@dataclass
class RnaExamples:
    """Genes in reading direction.

    Attributes:
        rrna: By kind.
        trna: With what lies around them.
    """

    rrna: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    trna: list[Gene] = field(default_factory=list)

    def add(self, record: Labelled) -> None:
        """Take the genes of a record; those that its ends cut are left out."""
        for row, strand in enumerate((1, -1)):
            rna = record.tracks[row] & NO_RNA
            codes = np.minimum(record.codes, N_CODE)
            if strand < 0:
                codes, rna = reverse_complement(codes), rna[::-1]
            for start, end in _runs(rna == RRNA):
                for name, kind in RRNA_KINDS.items():
                    if kind.lengths[0] <= end - start <= kind.lengths[1]:
                        self.rrna[name].append(codes[start:end].copy())
            for start, end in _runs(rna == TRNA):
                low, high = max(start - AROUND_BP, 0), min(end + AROUND_BP, len(codes))
                if SHORTEST_TRNA_BP <= end - start <= LONGEST_LABELLED_TRNA_BP:
                    self.trna.append((codes[low:high].copy(), start - low, end - low))

    def extend(self, other: "RnaExamples") -> None:
        """Take the genes of others."""
        self.trna += other.trna
        for name, genes in other.rrna.items():
            self.rrna[name] += genes

    def finder(self, confidence: Mapping[str, Confidence]) -> RnaFinder:
        """Profiles of these genes."""
        learned = {name: learn_profile(self.rrna[name]) for name in RRNA_KINDS if self.rrna.get(name)}
        profiles = {name: profile for name, profile in learned.items() if profile is not None}
        return RnaFinder(profiles, learn_cloverleaf(self.trna), dict(confidence))


def learn_rna(records: Callable[[], Iterable[Labelled]]) -> RnaFinder | None:
    """Profiles and their confidence; None where no RNA gene is known that looks like one.

    Args:
        records: Gives all records, twice.
    """
    examples: dict[tuple[str, str], RnaExamples] = defaultdict(RnaExamples)
    for record in records():
        examples[record.group, record.genome].add(record)
    known = {key: one for key, one in examples.items() if one.trna or one.rrna}
    if not known:
        return None
    part_of = _parts(list(known))
    without = {part: _joined([one for key, one in known.items() if part_of[key] != part]) for part in part_of.values()}
    seen: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    searches: dict[int, RnaFinder] = {}
    for record in records():
        part = part_of.get((record.group, record.genome))
        if part is None:
            continue
        if part not in searches:
            searches[part] = without[part].finder({})
        for place in searches[part].places(record.codes):
            is_gene = _is_gene(place, record.tracks)
            if is_gene is not None:
                seen[place.kind].append((place.score, is_gene))
    confidence = {kind: fit_confidence(kind, seen[kind]) for kind in MOST_SCORE}
    learned = _joined(list(known.values())).finder({})
    if not learned.profiles and learned.leaf is None:
        return None
    kinds = [*learned.profiles, *([finder.TRNA] if learned.leaf is not None else [])]
    return RnaFinder(learned.profiles, learned.leaf, {kind: confidence[kind] for kind in kinds})


def _parts(genomes: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Number of the part of each genome: its group, or, of few groups, itself; all are one if there is one alone."""
    groups = list(dict.fromkeys(group for group, _ in genomes))
    if len(groups) >= LEAST_GROUPS:
        return {key: groups.index(key[0]) % MOST_PARTS for key in genomes}
    return {key: number % MOST_PARTS for number, key in enumerate(genomes)}


def _joined(examples: list[RnaExamples]) -> RnaExamples:
    whole = RnaExamples()
    for one in examples:
        whole.extend(one)
    return whole


def _is_gene(place: Found, tracks: np.ndarray) -> bool | None:
    """Whether half of a place is labelled as a gene of its kind; None where its labels do not say."""
    rna = tracks[0 if place.strand > 0 else 1, max(place.start, 0) : place.end] & NO_RNA
    kind = TRNA if place.kind == finder.TRNA else RRNA
    if not len(rna) or (rna == 0).mean() > 0.1:
        return None
    return bool((rna == kind).mean() >= 0.5)


def fit_confidence(kind: str, seen: list[tuple[float, bool]]) -> Confidence:
    """A logistic regression on scores, with a few observations at both ends added.

    Args:
        kind: Key of ``MOST_SCORE``.
        seen: Scores of places, and whether they are genes.
    """
    most = MOST_SCORE[kind]
    least = min([most / 2, *(score for score, _ in seen)])
    scores = np.minimum([*(score for score, _ in seen), least, most], most)
    right = np.array([*(is_gene for _, is_gene in seen), False, True], float)
    counts = np.array([*[1.0] * len(seen), ASSUMED, ASSUMED])
    columns = np.stack([scores - most / 2, np.ones(len(scores))])  # [2, n]
    weights = np.zeros(2)
    for _ in range(50):
        share = 1 / (1 + np.exp(-(weights @ columns)))
        slope = columns @ (counts * (right - share)) - RIDGE * weights
        curve = (columns * (counts * share * (1 - share))) @ columns.T + RIDGE * np.eye(2)
        weights = weights + np.linalg.solve(curve, slope)
    return Confidence(round(float(weights[0]), 4), round(float(weights[1] - weights[0] * most / 2), 4))


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of runs of True that no end of the sequence cuts."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, end) for start, end in pairs if start > 0 and end < len(mask)]
