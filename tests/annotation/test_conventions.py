"""Random gene models come back from files in every way that programs write them, and score as the same genes."""

import pytest
from conventions import CONVENTIONS, draw_contigs
from gene_models import fasta
from hypothesis import given, settings
from hypothesis import strategies as st

from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.stop_codons import include_stop_codons
from genoformer.applications.genes.compared import read_compared
from genoformer.applications.genes.evaluate import score_annotations
from genoformer.applications.introns.evaluate import score_intron_genes
from genoformer.errors import WarningLog
from genoformer.sequence.alphabet import encode_bases

N_MODELS = 50


def facts(gene: Gene, *, with_exons: bool) -> tuple:
    """What must come back; exons that say no more than the CDS are the CDS."""
    ends = gene.partial_5, gene.partial_3, gene.phase_offset
    exons = gene.transcript_exons if with_exons else ()
    return gene.start, gene.end, gene.strand, gene.parts, exons, ends, gene.transl_except


def check_convention(name: str, seed: int, folder, n_models: int = 1) -> None:
    """Write models into one file, read it, compare, and score against the plainest GFF3 file."""
    how, contigs = CONVENTIONS[name], draw_contigs(name, seed, n_models)
    path, genome, plain = folder / f"a.{how.suffix}", folder / "a.fa", folder / "plain.gff3"
    path.write_text(how.write(contigs))
    genome.write_text(fasta(contigs))
    plain.write_text(CONVENTIONS["GFF3 as NCBI"].write(contigs))
    found = read_annotation(path, warnings=WarningLog())
    by_contig = {contig.removesuffix(".1"): genes for contig, genes in found.by_contig().items()}
    for contig in contigs:
        genes = by_contig.pop(contig.name, [])
        if how.needs_bases:
            genes = include_stop_codons(encode_bases(contig.bases), genes, 1)
        told = sorted(facts(gene, with_exons=how.utr) for gene in genes)
        assert told == sorted(facts(gene, with_exons=how.utr) for gene in contig.all_genes), (seed, contig.name)
    assert set(by_contig) <= {"elsewhere"}, seed
    expected, *others = (scores(*pair, genome, how.utr) for pair in ((plain, plain), (path, plain), (plain, path)))
    assert others == [expected, expected], seed
    whole = [gene for contig in contigs for gene, *_ in contig.genes if not (gene.partial_5 or gene.partial_3)]
    assert expected[0]["gene"]["reference"] >= len(whole), seed


def scores(predicted, reference, genome, with_exons: bool) -> tuple[dict, dict]:
    """What ``evaluate`` says of both kinds of genes; without scores of bases where a file does not tell exons."""
    files = read_compared(predicted, reference, fasta=genome, warnings=WarningLog())
    compared = files.predicted, files.reference, files.lengths
    introns = score_intron_genes(*compared)
    if not with_exons:
        introns.pop("bases")
    return introns, score_annotations(*compared)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", CONVENTIONS)
def test_models_come_back_and_score_alike(name, tmp_path):
    @settings(max_examples=N_MODELS)
    @given(st.integers(0, 2**32 - 1))
    def check(seed):
        check_convention(name, seed, tmp_path)

    check()
