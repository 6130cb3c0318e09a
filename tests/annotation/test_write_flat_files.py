"""GenBank and EMBL files of genes: Biopython reads the features, and our own reader the same genes."""

from dataclasses import replace

import pytest
from Bio import SeqIO
from prediction_files import ODD_IDS
from written_genes import GENETIC_CODE, make_contigs

from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.write_flat_files import EmblWriter, GenBankWriter
from genoformer.errors import WarningLog
from genoformer.inference.input_files import read_records
from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record

KINDS = {"genbank": GenBankWriter, "embl": EmblWriter}
both = pytest.mark.parametrize("kind", KINDS)


def write(folder, kind, contigs, **options):
    path = folder / f"genes.{kind}"
    with KINDS[kind](path) as file:
        for record, genes in contigs:
            file.add(record, genes, **options)
    return path


def read_back(path):
    """Genes by contig, by our own reader, which must have nothing to warn of."""
    warnings = WarningLog()
    found = read_annotation(path, warnings=warnings)
    assert list(warnings.lines()) == []
    return found


def bare(gene):
    """What a flat file holds of a gene."""
    return (
        gene.contig, gene.start, gene.end, gene.strand, gene.parts, gene.transcript_exons, gene.partial_5,
        gene.partial_3, gene.genetic_code, gene.phase_offset, gene.transl_except, gene.pseudo, gene.slippage,
    )  # fmt: skip


def seen(genes):
    return sorted(bare(gene) for gene in genes)


@both
def test_features_by_hand(tmp_path, kind):
    #                         0         9         18     25
    record = Record("c.1", encode_bases("TTGAAATAACTATTTCATCCCATGAAA"), "made up")
    genes = [
        Gene("c.1", 0, 9, "+", score=0.9, start_score=0.25, locus_tag="X_1", name="abcD", product="some protein"),
        Gene("c.1", 9, 18, "-", genetic_code=4),
        Gene("c.1", 21, 27, "+", partial_3=True),
    ]
    [found] = SeqIO.parse(write(tmp_path, kind, [(record, genes)]), kind)
    assert (found.id, str(found.seq), found.description) == ("c.1", "TTGAAATAACTATTTCATCCCATGAAA", "made up")
    assert found.annotations["topology"] == "linear"
    assert [(feature.type, str(feature.location)) for feature in found.features] == [
        ("gene", "[0:9](+)"), ("CDS", "[0:9](+)"), ("gene", "[9:18](-)"), ("CDS", "[9:18](-)"),
        ("gene", "[21:>27](+)"), ("CDS", "[21:>27](+)"),
    ]  # fmt: skip
    first, second, third = (feature.qualifiers for feature in found.features[1::2])
    assert (first["locus_tag"], first["gene"], first["product"]) == (["X_1"], ["abcD"], ["some protein"])
    assert first["note"] == ["confidence 0.9000", "confidence of the start 0.2500"]
    assert [q["translation"] for q in (first, second, third)] == [["MK"], ["MK"], ["MK"]]
    assert [q["transl_table"] for q in (first, second, third)] == [["11"], ["4"], ["11"]]
    assert second["locus_tag"] == ["gene-c.1-00002"] and "note" not in second


@both
def test_genes_with_introns_are_read_back_as_they_were(tmp_path, kind):
    contigs = make_contigs()
    found = read_back(write(tmp_path, kind, contigs, genetic_code=GENETIC_CODE))
    expected = [replace(gene, genetic_code=GENETIC_CODE) for _, genes in contigs for gene in genes]
    assert seen(found.genes) == seen(expected) and len(expected) == 12
    assert any(gene.exons and len(gene.parts) > 1 for gene in found.genes)
    assert found.circular == set()


@both
def test_biopython_translates_every_feature_to_its_translation(tmp_path, kind):
    contigs = make_contigs(1)
    n_read = 0
    for found in SeqIO.parse(write(tmp_path, kind, contigs, genetic_code=GENETIC_CODE), kind):
        for feature in found.features:
            if feature.type == "CDS":
                n_read += 1
                protein = feature.extract(found.seq).translate(table=GENETIC_CODE, to_stop=True)
                assert [str(protein)] == feature.qualifiers["translation"]
    assert n_read == 12


@both
@pytest.mark.parametrize("strand", "+-")
def test_a_gene_over_the_origin_is_joined(tmp_path, kind, strand):
    text = "AATAGCCCATGA" if strand == "+" else "TATTTCATCCCC"
    gene = Gene("c", 8, 17, "+", genetic_code=11) if strand == "+" else Gene("c", 11, 20, "-", genetic_code=11)
    record = Record("c", encode_bases(text if strand == "+" else "TATTTCATCCCC"))
    path = write(tmp_path, kind, [(record, [gene])], circular=True)
    [entry] = SeqIO.parse(path, kind)
    assert entry.annotations["topology"] == "circular"
    protein = translate_gene(record.codes, gene, 11)
    assert str(entry.features[1].extract(entry.seq).translate(table=11)) == protein
    found = read_back(path)
    assert seen(found.genes) == seen([gene]) and found.circular == {"c"}


@both
def test_partial_ends_frames_and_exceptions_are_kept(tmp_path, kind):
    record = Record("c", encode_bases("CTATTTCAAGCCATGTGATAACCATGAAACCCAAATAA"))
    genes = [
        Gene("c", 0, 10, "-", partial_5=True, phase_offset=1, genetic_code=11),
        Gene("c", 12, 21, "+", transl_except=((15, 18, "Sec"),), genetic_code=11),
        Gene("c", 23, 38, "+", parts=((23, 29), (28, 38)), slippage=True, genetic_code=11),
    ]
    path = write(tmp_path, kind, [(record, genes)])
    assert seen(read_back(path).genes) == seen(genes)
    [entry] = SeqIO.parse(path, kind)
    proteins = [feature.qualifiers["translation"][0] for feature in entry.features if feature.type == "CDS"]
    assert proteins[:2] == ["LK", "MU"]


@both
def test_a_pseudogene_has_no_coding_feature(tmp_path, kind):
    record = Record("c", encode_bases("TTGAAATAACTATTTCATCCCATGAAA"))
    path = write(tmp_path, kind, [(record, [Gene("c", 0, 9, "+", pseudo=True)])])
    assert [feature.type for feature in next(SeqIO.parse(path, kind)).features] == ["gene"]
    assert [gene.pseudo for gene in read_back(path).genes] == [True]


@both
def test_ids_and_bases_of_all_records_are_read_back(tmp_path, kind):
    names = [*ODD_IDS, "a.b.3", "c.", "contig_" + "x" * 60, "scaffold_12"]
    records = [Record(name, encode_bases("ACGTNRYACGT" * 30)) for name in names]
    path = write(tmp_path, kind, [(record, []) for record in records])
    found = list(read_records(path))
    assert [record.id for record in found] == [n.replace(";", "_") if kind == "embl" else n for n in names]
    assert all((mine.codes == record.codes).all() for mine, record in zip(found, records, strict=True))


@pytest.mark.data
@both
@pytest.mark.parametrize("name", ["phix174", "mycoplasma"])
def test_real_genes_and_proteins_are_read_back(genome, tmp_path, kind, name):
    real = genome(name)
    genes = [gene for gene in real.annotation.genes if not gene.trans_spliced and not gene.pseudo]
    path = write(tmp_path, kind, [(real.record, genes)], circular=True, genetic_code=real.genetic_code)
    found = read_back(path)
    assert [bare(gene)[:5] for gene in found.genes] == [bare(gene)[:5] for gene in genes] and len(genes) > 5
    [entry] = SeqIO.parse(path, kind)
    proteins = [f.qualifiers["translation"][0] for f in entry.features if f.type == "CDS"]
    truth = [f.qualifiers["translation"][0] for f in real.truth.features if "translation" in f.qualifiers]
    assert sorted(proteins) == sorted(truth)
