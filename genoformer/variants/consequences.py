"""What a change does to the coding sequence of a gene, in the words of the Sequence Ontology.

Only the gene's own reading frame is looked at: where a frame that was shifted ends is not followed. Words are those of
``bcftools csq``, and as a rule so is their meaning; docs/variants.md says where it differs.

Reference: Sequence Ontology, http://www.sequenceontology.org, below SO:0001537; Danecek and McCarthy, BCFtools/csq:
haplotype-aware variant consequences, Bioinformatics 33 (2017) 2037.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from genoformer.annotation.gene_sequence import coding_sequence, excepted_codons
from genoformer.annotation.genetic_code import CODONS, GeneticCode, codon_indices, get_genetic_code, translate
from genoformer.annotation.models import Gene
from genoformer.sequence.alphabet import reverse_complement
from genoformer.variants.alleles import Change

SPLICE_SITE_BP, SPLICE_REGION_EXON_BP, SPLICE_REGION_INTRON_BP = 2, 3, 8
"""Donor and acceptor dinucleotides, and what counts as their region on both sides: SO:0001574, 0001575, 0001630."""
ORDER = (
    "splice_acceptor", "splice_donor", "stop_gained", "frameshift", "stop_lost", "start_lost", "inframe_insertion",
    "inframe_deletion", "inframe_altering", "missense", "coding_sequence", "splice_region", "start_retained",
    "stop_retained", "synonymous", "5_prime_utr", "3_prime_utr", "intron",
)  # fmt: skip
"""Terms, the gravest first."""
_RANK = {term: i for i, term in enumerate(ORDER)}
MAX_SHOWN_AA = 8


@dataclass(frozen=True, slots=True)
class Consequence:
    """What one change does to one gene.

    Attributes:
        terms: The gravest first, see ``ORDER``.
        gene: Name of the gene, see ``gene_name``.
        strand: "+" or "-".
        amino_acids: Such as "12M>12I", "45L>45fs"; "" where no codon is told.
    """

    terms: tuple[str, ...]
    gene: str
    strand: str
    amino_acids: str = ""


def gene_name(gene: Gene) -> str:
    """What a gene is called: its id, locus tag or symbol, else contig, place and strand."""
    called = gene.id or gene.locus_tag or gene.name
    return called or f"{gene.contig}:{gene.start + 1}-{gene.end}{gene.strand}"


class CodingGene:
    """A gene on its contig, ready for many changes.

    Args:
        gene: Not trans-spliced, no pseudogene.
        codes: uint8 base codes of the contig, shape [L].
        code: Translation table of genes that name none.
        is_circular: Bases behind the end are those at the begin.
    """

    def __init__(self, gene: Gene, codes: np.ndarray, code: int, is_circular: bool = False) -> None:
        self.gene, self.name = gene, gene_name(gene)
        self.code: GeneticCode = get_genetic_code(gene.genetic_code or code)
        self._codes, self._is_circular = codes, is_circular
        self.parts = gene.parts
        self.low, self.high = gene.transcript_span

    @cached_property
    def bases(self) -> np.ndarray:
        """The coding sequence in reading direction, without bases before the first whole codon."""
        return coding_sequence(self._codes, self.gene)[self.gene.phase_offset :]

    @cached_property
    def excepted(self) -> dict[int, str]:
        """Codons that are not read as the table says."""
        return excepted_codons(self.gene, len(self._codes))

    def bases_between(self, start: int, end: int) -> np.ndarray:
        """Codes of the contig, over the origin of a circular one; shorter at the ends of a linear one."""
        if self._is_circular:
            return self._codes[np.arange(start, end) % len(self._codes)]
        return self._codes[max(start, 0) : max(end, 0)]

    @cached_property
    def has_start(self) -> bool:
        """The first codon is a start codon."""
        first = codon_indices(self.bases[:3])
        return not self.gene.partial_5 and len(first) > 0 and first[0] >= 0 and bool(self.code.start_mask[first[0]])

    @cached_property
    def has_stop(self) -> bool:
        """The last codon is a stop codon."""
        last = codon_indices(self.bases[-3:]) if len(self.bases) % 3 == 0 else np.empty(0, np.int64)
        return not self.gene.partial_3 and len(last) > 0 and last[0] >= 0 and bool(self.code.stop_mask[last[0]])

    def coding_offset(self, position: int) -> int:
        """How many coding bases lie on the forward strand before a position, which need not be coding."""
        return sum(max(0, min(position, end) - start) for start, end in self.parts)


def consequence_of(change: Change, coding: CodingGene) -> Consequence | None:
    """What a change does to a gene; None where it does not touch it.

    Args:
        change: In coordinates of the gene, which may go on behind the end of a circular contig.
        coding: The gene.
    """
    if not _touches(change, coding.low, coding.high):
        return None
    terms = set(_splice_terms(change, coding))
    is_coding = any(_touches_part(change, number, part) for number, part in enumerate(coding.parts))
    if not is_coding:
        terms |= _outside_terms(change, coding) if not terms else set()
        return _consequence(terms, coding, "") if terms else None
    if _leaves_start(change, coding):
        return _consequence(terms | {"start_retained"}, coding, "")
    edited = _edit(change, coding)
    found, text = _coding_terms(edited, coding)
    return _consequence(terms | found, coding, text)


def changed_bases(change: Change, coding: CodingGene) -> np.ndarray | None:
    """The coding sequence with a change, in reading direction from the first whole codon; None where it stays.

    It ends where the gene of the reference does, whether or not a shifted frame would. Bases that are put in at the end
    of a part, and reach beyond it, are left out.

    Args:
        change: As for ``consequence_of``.
        coding: The gene.
    """
    if not any(_touches_part(change, number, part) for number, part in enumerate(coding.parts)):
        return None
    return _after(_edit(change, coding), coding.bases)


def _after(edit: "_Edit", before: np.ndarray) -> np.ndarray:
    start, end = max(edit.start, 0), max(edit.start + edit.lost, 0)
    return np.concatenate((before[:start], edit.put, before[end:]))


def _consequence(terms: set[str], coding: CodingGene, text: str) -> Consequence:
    if terms & {"splice_donor", "splice_acceptor"}:
        terms = terms - {"splice_region"}
    ordered = tuple(sorted(terms, key=_RANK.__getitem__))
    return Consequence(ordered, coding.name, coding.gene.strand, text)


def _touches(change: Change, low: int, high: int) -> bool:
    """Whether a base of [low, high) is lost, or something is put between two of them."""
    return low < change.start < high if change.is_insertion else change.start < high and change.end > low


def _touches_part(change: Change, number: int, part: tuple[int, int]) -> bool:
    """As ``_touches``; what is put right before a part that follows an intron belongs to it."""
    at_edge = change.is_insertion and number > 0 and change.start == part[0]
    return at_edge or _touches(change, *part)


def _splice_terms(change: Change, coding: CodingGene) -> Iterator[str]:
    """Terms of splice sites that a change touches, the region in exons included."""
    is_plus = coding.gene.strand == "+"
    first, last = ("splice_donor", "splice_acceptor") if is_plus else ("splice_acceptor", "splice_donor")
    exons = coding.gene.transcript_exons
    for (_, low), (high, _) in pairwise(exons):
        if high - low <= 2 * SPLICE_SITE_BP or coding.gene.slippage:
            continue
        for edge, term, side in ((low, first, 1), (high, last, -1)):
            inside = (edge, edge + SPLICE_SITE_BP) if side > 0 else (edge - SPLICE_SITE_BP, edge)
            reach = (-SPLICE_REGION_EXON_BP, SPLICE_REGION_INTRON_BP)
            around = (edge + reach[0], edge + reach[1]) if side > 0 else (edge - reach[1], edge - reach[0])
            if _touches(change, *inside) or (change.is_insertion and change.start == edge):
                yield term
            if _touches(change, *around):
                yield "splice_region"


def _outside_terms(change: Change, coding: CodingGene) -> set[str]:
    """Untranslated region or intron."""
    low, high = coding.gene.start, coding.gene.end
    is_exonic = any(_touches(change, *exon) for exon in coding.gene.transcript_exons)
    if is_exonic and (change.start >= high or change.end <= low):
        is_before = (change.end <= low) == (coding.gene.strand == "+")
        return {"5_prime_utr" if is_before else "3_prime_utr"}
    return {"intron"}


@dataclass(frozen=True, slots=True)
class _Edit:
    """A coding sequence before and after a change; all in reading direction from the first whole codon.

    Attributes:
        start: First base that differs, or in front of which bases are put.
        lost: Number of bases lost.
        put: Codes of the bases in their place.
        crosses: The change reaches beyond the coding bases that it touches.
    """

    start: int
    lost: int
    put: np.ndarray
    crosses: bool


def _edit(change: Change, coding: CodingGene) -> _Edit:
    low, high = coding.coding_offset(change.start), coding.coding_offset(change.end)
    lost, put = high - low, change.bases
    crosses = lost != change.end - change.start
    if crosses:
        put = _coding_share(change, coding)
    total = sum(end - start for start, end in coding.parts)
    if coding.gene.strand == "-":
        low, put = total - high, reverse_complement(put)
    return _Edit(low - coding.gene.phase_offset, lost, put, crosses)


def _coding_share(change: Change, coding: CodingGene) -> np.ndarray:
    """Of the bases that are put in, those that stand where coding ones were: equal lengths base by base, else none."""
    if change.growth_bp:
        return change.bases[:0]
    positions = np.arange(change.start, change.end)
    is_coding = np.zeros(len(positions), bool)
    for start, end in coding.parts:
        is_coding |= (positions >= start) & (positions < end)
    return change.bases[is_coding]


def _leaves_start(change: Change, coding: CodingGene) -> bool:
    """Whether a deletion at the start codon is the same as one before it, since equal bases stand there."""
    n = change.end - change.start
    if len(change.bases) or not coding.has_start:
        return False
    if coding.gene.strand == "+":
        low = coding.gene.start
        beyond = change.end - low
        if not (low - n < change.start < low + 3) or beyond <= 0:
            return False
        return _equal(
            coding.bases_between(change.start - beyond, low),
            coding.bases_between(change.end - beyond, change.end),
            beyond,
        )
    high = coding.gene.end
    beyond = high - change.start
    if not (high - 3 < change.end < high + n) or beyond <= 0:
        return False
    return _equal(
        coding.bases_between(change.start, change.start + beyond),
        coding.bases_between(change.end, change.end + beyond),
        beyond,
    )


def _equal(first: np.ndarray, second: np.ndarray, n: int) -> bool:
    return len(second) == n and len(first) >= n and bool((first[:n] == second).all())


def _coding_terms(edit: _Edit, coding: CodingGene) -> tuple[set[str], str]:
    """Terms of a change of coding bases, and the amino acids."""
    growth = len(edit.put) - edit.lost
    before = coding.bases
    start, end = max(edit.start, 0), edit.start + edit.lost
    after = _after(edit, before)
    if coding.has_start and start < 3 and (edit.lost or start > 0):
        at_start = _start_term(before, after, edit)
        if at_start is not None:
            return {at_start}, _shown(before, after, 0, 1, 1, coding)
    terms = _frame_terms(growth)
    first = start // 3
    n_before, n_after = _codons_touched(start, edit.lost, len(edit.put), growth)
    text = _shown(before, after, first, n_before, n_after, coding)
    old, new = _read(before, first, n_before, coding), _read(after, first, n_after, coding)
    stop = len(before) - 3
    touches_stop = coding.has_stop and (end > stop if edit.lost else stop < start < len(before))
    if touches_stop:
        terms.add("stop_retained" if "*" in new else "stop_lost")
        old, new = old.removesuffix("*"), new if growth else new.removesuffix("*")
    if not growth:
        terms |= _substitution_terms(old, new)
        terms -= {"synonymous", "missense"} if terms & {"stop_lost", "stop_retained"} else set()
    elif growth % 3 == 0 and "*" in new and "*" not in old and not touches_stop:
        terms.add("stop_gained")
    if growth % 3:
        text = f"{first + 1}{old[:1] or '*'}>{first + 1}fs"
    return terms, text


def _start_term(before: np.ndarray, after: np.ndarray, edit: _Edit) -> str | None:
    """What happens to the start codon; None where it stands as it was."""
    if not edit.crosses and len(after) >= 3 and (after[:3] == before[:3]).all():
        return None
    is_atg = CODONS[codon_indices(after[:3])[0]] == "ATG" if len(after) >= 3 and (after[:3] < 4).all() else False
    grows = len(edit.put) != edit.lost
    return "start_retained" if is_atg and not grows and not edit.crosses else "start_lost"


def _frame_terms(growth: int) -> set[str]:
    if growth == 0:
        return set()
    if growth % 3:
        return {"frameshift"}
    return {"inframe_insertion" if growth > 0 else "inframe_deletion"}


def _codons_touched(start: int, lost: int, put: int, growth: int) -> tuple[int, int]:
    """Codons before and after that hold what is lost and what is put in, from the codon of the first base on."""
    phase = start % 3
    n_before = -(-(phase + lost) // 3)
    n_after = -(-(phase + put) // 3)
    if growth % 3:
        return max(n_before, 1), max(n_after, 1)
    longest = max(n_before * 3 + growth, n_after * 3)
    n_after = -(-longest // 3)
    return n_after - growth // 3, n_after


def _read(bases: np.ndarray, first: int, n: int, coding: CodingGene) -> str:
    letters = list(translate(bases[3 * first : 3 * (first + n)], coding.code))
    if bases is coding.bases:
        for number in coding.excepted:
            if first <= number < first + len(letters) and letters[number - first] == "*":
                letters[number - first] = "U"
    return "".join(letters)


def _substitution_terms(old: str, new: str) -> set[str]:
    terms = set()
    for before, after in zip(old, new, strict=False):
        if before != after:
            terms.add("stop_lost" if before == "*" else "stop_gained" if after == "*" else "missense")
    return terms or {"synonymous"}


def _shown(before: np.ndarray, after: np.ndarray, first: int, n_before: int, n_after: int, coding: CodingGene) -> str:
    old, new = _read(before, first, n_before, coding), _read(after, first, n_after, coding)
    texts = [f"{first + 1}{text[:MAX_SHOWN_AA]}{'..' if len(text) > MAX_SHOWN_AA else ''}" for text in (old, new)]
    return texts[0] if texts[0] == texts[1] else ">".join(texts)


class GeneIndex:
    """Genes of one contig, to be found by place.

    Args:
        genes: Of the contig; pseudogenes and trans-spliced ones are left out.
        codes: uint8 base codes of the contig.
        code: Translation table of genes that name none.
        is_circular: Genes may run over the end of the contig.
    """

    def __init__(self, genes: Sequence[Gene], codes: np.ndarray, code: int, is_circular: bool = False) -> None:
        kept = [gene for gene in genes if not (gene.pseudo or gene.trans_spliced or gene.is_shifted)]
        self._genes = sorted((CodingGene(gene, codes, code, is_circular) for gene in kept), key=lambda one: one.low)
        self._lows = [one.low for one in self._genes]
        self._longest = max((one.high - one.low for one in self._genes), default=0)
        self._turns = (0, len(codes)) if is_circular else (0,)

    def around(self, start: int, end: int) -> Iterator[tuple[CodingGene, int]]:
        """Genes that overlap or touch [start, end], each with what is to be added to a place on the contig."""
        for turn in self._turns:
            low, high = start + turn, end + turn
            at = bisect_left(self._lows, low - self._longest)
            while at < len(self._genes) and self._lows[at] <= high:
                if self._genes[at].high >= low:
                    yield self._genes[at], turn
                at += 1

    def consequences(self, change: Change) -> list[Consequence]:
        """What a change does to each gene that it touches, by place."""
        found = [consequence_of(change.shifted(turn), gene) for gene, turn in self.around(change.start, change.end)]
        return [one for one in found if one is not None]
