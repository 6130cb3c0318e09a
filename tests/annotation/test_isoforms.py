"""Which isoform stands for a gene."""

from dataclasses import replace

from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation

LONG = Gene("c", 0, 30, "+", parts=((0, 9), (12, 30)), attributes={"gene_id": "g"})
SHORT = Gene("c", 0, 30, "+", parts=((0, 9), (21, 30)), attributes={"gene_id": "g"})


def test_the_longest_cds_stands_for_the_gene():
    assert choose_isoforms([SHORT, LONG]) == [LONG]


def test_of_equal_cds_the_longest_transcript_does():
    wide = replace(LONG, exons=((0, 9), (12, 40)))
    assert choose_isoforms([LONG, wide]) == [wide]


def test_genes_are_told_apart_by_gene_row_then_locus_tag_then_name():
    tagged, named = replace(LONG, attributes={}, locus_tag="t"), replace(LONG, attributes={}, name="n")
    nameless = replace(LONG, attributes={})
    assert len(choose_isoforms([LONG, tagged, named, nameless, nameless])) == 5
    assert choose_isoforms([tagged, replace(tagged, parts=((0, 9), (21, 30)))]) == [tagged]


def test_worm_genes_with_isoforms_are_counted_once(data_dir):
    genes = read_annotation(data_dir / "genome_1pct_c_elegans/C.elegans.1pct.gff.gz", sources=["WormBase"]).genes
    inside = [gene for gene in genes if "gene_id" in gene.attributes and not gene.pseudo]
    chosen = choose_isoforms(inside)
    owners = {gene.attributes["gene_id"] for gene in inside}
    assert len(inside) > len(chosen) == len(owners)
    longest = {owner: max(g.length_bp for g in inside if g.attributes["gene_id"] == owner) for owner in owners}
    assert all(gene.length_bp == longest[gene.attributes["gene_id"]] for gene in chosen)
