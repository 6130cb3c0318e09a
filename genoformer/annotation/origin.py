"""Genes over the origin of a circle in files that do not call the sequence circular, once its length is known."""

from collections.abc import Mapping
from dataclasses import replace

from genoformer.annotation.locations import join_over_origin
from genoformer.annotation.models import Annotation, Gene, order_genes
from genoformer.errors import WarningLog


def close_circles(annotation: Annotation, lengths: Mapping[str, int], warnings: WarningLog) -> Annotation:
    """The same annotation with genes over the origin in one piece, and their contigs circular.

    A gene runs over the origin when it ends behind the end of its contig, or when its parts touch both ends of the
    contig and read in one frame from the end to the beginning. A gene that touches both ends and does not is left.

    Args:
        annotation: What was read.
        lengths: In bp by contig; genes of other contigs are left as they are.
        warnings: Counts contigs that no row calls circular, and genes that may run over an origin.
    """
    circular = set(annotation.circular)
    genes = []
    for gene in annotation.genes:
        length_bp = lengths.get(gene.contig)
        closed = gene if length_bp is None or gene.pseudo or gene.trans_spliced else _closed(gene, length_bp)
        if closed is None:
            text = f"gene {gene.id!r} spans {gene.contig!r} from end to end, in no frame over an origin"
            warnings.add("ANNOTATION-102", f"{text}; it is read as a gene of a linear sequence")
        elif length_bp is not None and closed.end > length_bp > closed.start and gene.contig not in circular:
            circular.add(gene.contig)
            text = f"gene {gene.id!r} runs over the end of {gene.contig!r}, which is read as circular"
            warnings.add("ANNOTATION-101", f"{text}; mark it with Is_circular=true")
        genes.append(closed or gene)
    return replace(annotation, genes=order_genes(genes), circular=circular)


def _closed(gene: Gene, length_bp: int) -> Gene | None:
    """The gene over the origin, or as it is where it does not touch both ends; None where it does in no frame."""
    parts = join_over_origin(list(gene.parts), length_bp)
    # A gene over the origin seems to begin inside a codon where it is read as one of a linear sequence.
    if parts is None or gene.partial_3 or (gene.partial_5 and not gene.phase_offset):
        return gene
    high_bp = sum(min(end, length_bp) - start for start, end in parts if start < length_bp)
    before_bp = high_bp if gene.strand == "+" else gene.length_bp - high_bp
    if gene.length_bp % 3 or gene.phase_offset != -before_bp % 3:
        return None
    return replace(gene, start=parts[0][0], end=parts[-1][1], parts=parts, exons=(), phase_offset=0, partial_5=False)
