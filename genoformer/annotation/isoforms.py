"""Which CDS belong to one gene, and which of several isoforms stands for it."""

from collections import defaultdict
from collections.abc import Iterable

from genoformer.annotation.models import GENE_ID, Gene, sort_genes


def group_isoforms(genes: Iterable[Gene]) -> list[list[Gene]]:
    """The CDS of each gene, in the order of ``sort_genes``.

    CDS belong to one gene when the file gives them the same gene row, else the same locus tag, else the same gene name,
    on one strand, and they lie over each other: copies of a gene that have its name are genes of their own. Where a
    file says nothing, each CDS is a gene of its own, and so is each pseudogene.

    Args:
        genes: CDS of one contig.
    """
    groups: list[list[Gene]] = []
    latest: dict[tuple[str, tuple[str, str]], list[Gene]] = {}
    reach: dict[tuple[str, tuple[str, str]], int] = defaultdict(int)
    for gene in sort_genes(genes):
        owner = _owner(gene)
        key = (gene.strand, owner) if owner is not None and not gene.pseudo else None
        if key is not None and gene.start < reach[key]:
            latest[key].append(gene)
        else:
            groups.append([gene])
            if key is not None:
                latest[key] = groups[-1]
        if key is not None:
            reach[key] = max(reach[key], gene.end)
    return groups


def choose_isoforms(genes: Iterable[Gene]) -> list[Gene]:
    """The longest CDS of every gene; of equally long ones that of the longest transcript, then the first by position.

    Args:
        genes: CDS of one contig; pseudogenes are kept as they are.

    Returns:
        The chosen ones in the order of ``sort_genes``.
    """
    return sort_genes(max(group, key=_rank) for group in group_isoforms(genes))


def _owner(gene: Gene) -> tuple[str, str] | None:
    named = ((GENE_ID, gene.attributes.get(GENE_ID, "")), ("locus_tag", gene.locus_tag), ("name", gene.name))
    return next((pair for pair in named if pair[1]), None)


def _rank(gene: Gene) -> tuple[int, int]:
    return gene.length_bp, sum(end - start for start, end in gene.transcript_exons)
