"""Random gene models on made-up contigs, with introns, untranslated regions, isoforms and cut-off ends."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from genoformer.annotation.models import Gene, sort_genes

COMPLEMENT = str.maketrans("ACGT", "TGCA")
STOPS = ("TAA", "TAG", "TGA")
SENSE = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT" if a + b + c not in STOPS]


@dataclass
class Contig:
    """A made-up sequence and its genes, in its coordinates.

    Attributes:
        name: Its id.
        bases: Its sequence.
        genes: Groups of isoforms; the first of each is the longest.
    """

    name: str
    bases: str = ""
    genes: list[list[Gene]] = field(default_factory=list)
    circular: bool = False

    @property
    def all_genes(self) -> list[Gene]:
        return sort_genes(gene for group in self.genes for gene in group)


def reverse(text: str) -> str:
    return text.translate(COMPLEMENT)[::-1]


class Maker:
    """Draws contigs.

    Args:
        seed: Of everything.
        with_ends: Genes may be cut off by the end of a contig.
        with_utr: Transcripts may be longer than the CDS.
        with_isoforms: Genes may have two transcripts.
        with_sec: Genes may hold a selenocysteine.
    """

    def __init__(self, seed: int, *, with_ends: bool, with_utr: bool, with_isoforms: bool, with_sec: bool) -> None:
        self.draw = random.Random(seed)
        self.with_ends, self.with_utr, self.with_isoforms = with_ends, with_utr, with_isoforms
        self.with_sec = with_sec

    def contigs(self, prefix: str = "") -> list[Contig]:
        """One to three contigs."""
        return [self._contig(f"{prefix}scf{number}") for number in range(1, self.draw.randint(2, 4))]

    def _space(self, low: int = 20, high: int = 60) -> str:
        # No G: no start codon, and no stop codon but TAA, which may stand anywhere.
        return "".join(self.draw.choice("ACT") for _ in range(self.draw.randint(low, high)))

    def _contig(self, name: str) -> Contig:
        contig = Contig(name, self._space())
        for number in range(self.draw.randint(1, 4)):
            text, group = self._locus(name)
            if self.draw.random() < 0.5:
                text, group = reverse(text), [mirrored(gene, len(text)) for gene in group]
            group = [gene.shifted(len(contig.bases)) for gene in group]
            contig.genes.append([replace(gene, id=f"{name}.{number}.{i}") for i, gene in enumerate(group)])
            contig.bases += text + self._space()
        # The first contig stays whole: a file in which nothing has a start codon row says nothing of starts.
        if self.with_ends and not name.endswith("scf1") and self.draw.random() < 0.6:
            self._cut(contig)
        return contig

    def _cut(self, contig: Contig) -> None:
        """Let the contig end inside the first exon of its first gene, or the last of its last."""
        group = contig.genes[0]
        low, high = group[0].parts[0]
        at = low + self.draw.randint(1, max(1, high - low - 4))
        if len(group) > 1 or high - at < 4:
            return
        contig.bases = contig.bases[at:]
        gene = group[0]
        kept = [(max(start, at), end) for start, end in gene.parts if end > at]
        exons = [(max(start, at), end) for start, end in gene.exons if end > at] if gene.exons else []
        is_plus = gene.strand == "+"
        lost_bp = at - low
        cut = replace(
            gene, start=at, parts=tuple(kept), exons=tuple(exons), partial_5=is_plus, partial_3=not is_plus,
            phase_offset=-lost_bp % 3 if is_plus else 0, transl_except=(),
        )  # fmt: skip
        cut = replace(cut, exons=() if cut.exons == cut.parts else cut.exons)
        genes = [[cut], *contig.genes[1:]]
        contig.genes = [[shifted_down(gene, at) for gene in group] for group in genes]

    def _locus(self, name: str) -> tuple[str, list[Gene]]:
        """Bases of a transcript with its introns, read from 5' to 3', and its gene models on "+"."""
        n_codons = self.draw.randint(32, 60)
        codons = ["ATG", *(self.draw.choice(SENSE) for _ in range(n_codons - 2)), self.draw.choice(STOPS)]
        exceptions = []
        if self.with_sec and self.draw.random() < 0.4:
            exceptions = [self.draw.randint(5, n_codons - 5)]
            codons[exceptions[0]] = "TGA"
        coding = "".join(codons)
        cuts = sorted(self.draw.sample(range(2, len(coding) - 2), self.draw.randint(0, 3)))
        pieces = [coding[low:high] for low, high in zip([0, *cuts], [*cuts, len(coding)], strict=True)]
        text, parts = "", []
        for number, piece in enumerate(pieces):
            text += self._intron() if number else ""
            parts.append((len(text), len(text) + len(piece)))
            text += piece
        exons = list(parts)
        if self.with_utr and self.draw.random() < 0.7:
            text, parts, exons = self._with_regions(text, parts, exons)
        where = [place for start, end in parts for place in range(start, end)]
        excepted = tuple((where[3 * i], where[3 * i + 2] + 1, "Sec") for i in exceptions)
        gene = Gene(
            name, parts[0][0], parts[-1][1], "+", parts=tuple(parts), exons=() if exons == parts else tuple(exons),
            transl_except=excepted,
        )  # fmt: skip
        return text, [gene, *self._isoforms(gene)]

    def _intron(self) -> str:
        return "GT" + self._space(20, 70) + "AG"

    def _with_regions(
        self, text: str, parts: list[tuple[int, int]], exons: list[tuple[int, int]]
    ) -> tuple[str, list[tuple[int, int]], list[tuple[int, int]]]:
        """Untranslated regions on both sides, perhaps with an intron inside the first."""
        before, intron, near = self._space(5, 30), self._intron(), self._space(3, 9)
        if self.draw.random() < 0.5:
            intron, near = "", ""
        after = self._space(5, 30)
        shift = len(before) + len(intron) + len(near)
        parts = [(start + shift, end + shift) for start, end in parts]
        exons = [(start + shift, end + shift) for start, end in exons]
        first = (shift - len(near), exons[0][1])
        exons[0] = first if intron else (0, exons[0][1])
        exons = [(0, len(before)), *exons] if intron else exons
        exons[-1] = (exons[-1][0], exons[-1][1] + len(after))
        return before + intron + near + text + after, parts, exons

    def _isoforms(self, gene: Gene) -> Iterator[Gene]:
        """A transcript that skips whole codons of an inner exon, where there is one."""
        inner = [i for i, (start, end) in enumerate(gene.parts[1:-1], 1) if (end - start) % 3 == 0]
        if not (self.with_isoforms and inner) or gene.transl_except:
            return
        kept = [part for i, part in enumerate(gene.parts) if i != inner[0]]
        exons = tuple(exon for exon in gene.exons if exon != gene.parts[inner[0]])
        yield replace(gene, parts=tuple(kept), exons=exons)


def mirrored(gene: Gene, length_bp: int) -> Gene:
    """The gene on the other strand of a sequence that is read backwards."""

    def flip(spans: tuple) -> tuple:
        return tuple((length_bp - end, length_bp - start, *more) for start, end, *more in spans[::-1])

    return replace(
        gene, start=length_bp - gene.end, end=length_bp - gene.start, strand="-", parts=flip(gene.parts),
        exons=flip(gene.exons), transl_except=flip(gene.transl_except),
    )  # fmt: skip


def shifted_down(gene: Gene, by_bp: int) -> Gene:
    spans = {name: tuple((s - by_bp, e - by_bp) for s, e in getattr(gene, name)) for name in ("parts", "exons")}
    excepted = tuple((s - by_bp, e - by_bp, aa) for s, e, aa in gene.transl_except)
    return replace(gene, start=gene.start - by_bp, end=gene.end - by_bp, transl_except=excepted, **spans)


def fasta(contigs: list[Contig]) -> str:
    return "".join(f">{contig.name} made up\n{contig.bases}\n" for contig in contigs)
