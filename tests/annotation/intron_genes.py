"""Genes with introns small enough to check by eye."""

from genoformer.annotation.models import Gene
from genoformer.sequence.alphabet import encode_bases, reverse_complement
from genoformer.sequence.records import Record

#         utr    exon 1    intron             exon 2     intron            stop utr
PIECES = ("CCTC", "ATGAC", "GTAAAAAAAAAAAAAG", "GTTTGCAT", "GTTTTTTTTTTTTAG", "AA", "GGC")
TEXT = "".join(PIECES)
PARTS, EXONS = ((4, 9), (25, 33), (48, 50)), ((0, 9), (25, 33), (48, 53))
END = 50
LENGTH = len(TEXT)
PROTEIN = "MTFA*"


def plus_gene(**more) -> Gene:
    """ATG AC|G TTT GCA T|AA: phases 2 and 1, the stop codon split by the second intron."""
    return Gene("c", 4, END, "+", parts=PARTS, exons=EXONS, **more)


def minus_gene(**more) -> Gene:
    """The mirror image of ``plus_gene``."""
    flip = [tuple((LENGTH - end, LENGTH - start) for start, end in spans[::-1]) for spans in (PARTS, EXONS)]
    return Gene("c", LENGTH - END, LENGTH - 4, "-", parts=flip[0], exons=flip[1], **more)


def record(strand: str) -> Record:
    codes = encode_bases(TEXT)
    return Record("c", codes if strand == "+" else reverse_complement(codes))


def gene(strand: str, **more) -> Gene:
    return plus_gene(**more) if strand == "+" else minus_gene(**more)
