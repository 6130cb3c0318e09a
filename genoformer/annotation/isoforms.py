"""One CDS for each gene: which of several isoforms stands for it."""

from collections.abc import Iterable

from genoformer.annotation.models import GENE_ID, Gene, sort_genes


def choose_isoforms(genes: Iterable[Gene]) -> list[Gene]:
    """The longest CDS of every gene; of equally long ones that of the longest transcript, then the first by position.

    CDS belong to one gene when the file gives them the same gene row, else the same locus tag, else the same gene name,
    on one strand. Where a file says nothing, each CDS is a gene of its own.

    Args:
        genes: CDS of one contig; pseudogenes are kept as they are.

    Returns:
        The chosen ones in the order of ``sort_genes``.
    """
    chosen: dict[tuple[str, tuple[str, str]] | int, Gene] = {}
    for number, gene in enumerate(sort_genes(genes)):
        owner = _owner(gene)
        key = number if owner is None or gene.pseudo else (gene.strand, owner)
        if key not in chosen or _rank(gene) > _rank(chosen[key]):
            chosen[key] = gene
    return sort_genes(chosen.values())


def _owner(gene: Gene) -> tuple[str, str] | None:
    named = ((GENE_ID, gene.attributes.get(GENE_ID, "")), ("locus_tag", gene.locus_tag), ("name", gene.name))
    return next((pair for pair in named if pair[1]), None)


def _rank(gene: Gene) -> tuple[int, int]:
    return gene.length_bp, sum(end - start for start, end in gene.transcript_exons)
