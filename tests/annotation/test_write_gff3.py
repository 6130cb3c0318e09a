import subprocess
from dataclasses import replace
from itertools import pairwise

import gffutils
import numpy as np
import pytest
from Bio.Seq import Seq

from genoformer.annotation.isoforms import group_isoforms
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.write_gff3 import Gff3Writer, phases, write_gff3
from genoformer.errors import DataError, WarningLog
from genoformer.sequence.alphabet import decode_bases, encode_bases
from genoformer.sequence.records import Record

REAL = ("ecoli", "mycoplasma", "plasmid", "phix174", "lambda", "NC_049491", "chloroplast")


@pytest.fixture(scope="session")
def check_by_gt(need_tool):
    """Refuse what genometools refuses, Sequence Ontology types included."""

    def check(path):
        command = [need_tool("gt"), "gff3validator", "-typecheck", "so", str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 and "input is valid GFF3" in done.stdout, done.stderr
        assert not done.stderr

    return check


def write(path, text, genes, *, circular=False, record_id="c"):
    write_gff3(path, [(Record(record_id, encode_bases(text)), genes, circular)])
    return path.read_text().splitlines()


def facts(gene):
    """What a GFF3 file keeps of a gene, whatever its ids."""
    return replace(gene, id="", attributes={})


def test_a_gene_by_hand(tmp_path):
    gene = Gene("c", 2, 11, "-", score=0.98765, start_score=0.5, locus_tag="T_1", product="a;b,c=d", name="xyz")
    assert write(tmp_path / "a.gff3", "CCCTATTTCATC", [gene]) == [
        "##gff-version 3",
        "##sequence-region c 1 12",
        "c\tgenoformer\tgene\t3\t11\t0.9877\t-\t.\tID=gene-c-00001;Name=xyz;locus_tag=T_1;gene=xyz",
        "c\tgenoformer\tmRNA\t3\t11\t0.9877\t-\t.\t"
        "ID=mrna-c-00001;Parent=gene-c-00001;locus_tag=T_1;gene=xyz;product=a%3Bb%2Cc%3Dd",
        "c\tgenoformer\texon\t3\t11\t0.9877\t-\t.\tID=exon-c-00001-1;Parent=mrna-c-00001",
        "c\tgenoformer\tCDS\t3\t11\t0.9877\t-\t0\tID=cds-c-00001;Parent=mrna-c-00001;locus_tag=T_1;gene=xyz;"
        "product=a%3Bb%2Cc%3Dd;transl_table=11;start_score=0.5000",
        "###",
    ]


def test_a_gene_of_two_transcripts_by_hand(tmp_path, check_by_gt):
    other = Gene("c", 3, 12, "+", exons=((1, 13),), below_best=2.345, locus_tag="T_1")
    gene = Gene("c", 3, 9, "+", score=0.5, locus_tag="T_1", alternatives=(other,))
    assert gene.locus_span == (1, 13) and gene.shifted(4).alternatives[0].exons == ((5, 17),)
    assert write(tmp_path / "a.gff3", "CCCATGTGATAACC", [gene])[2:] == [
        "c\tgenoformer\tgene\t2\t13\t0.5000\t+\t.\tID=gene-c-00001;locus_tag=T_1",
        "c\tgenoformer\tmRNA\t2\t13\t.\t+\t.\tID=mrna-c-00001.t2;Parent=gene-c-00001;locus_tag=T_1;below_best=2.35",
        "c\tgenoformer\texon\t2\t13\t.\t+\t.\tID=exon-c-00001.t2-1;Parent=mrna-c-00001.t2",
        "c\tgenoformer\tfive_prime_UTR\t2\t3\t.\t+\t.\tID=utr-c-00001.t2-1;Parent=mrna-c-00001.t2",
        "c\tgenoformer\tmRNA\t4\t9\t0.5000\t+\t.\tID=mrna-c-00001.t1;Parent=gene-c-00001;locus_tag=T_1",
        "c\tgenoformer\texon\t4\t9\t0.5000\t+\t.\tID=exon-c-00001.t1-1;Parent=mrna-c-00001.t1",
        "c\tgenoformer\tCDS\t4\t9\t0.5000\t+\t0\tID=cds-c-00001.t1;Parent=mrna-c-00001.t1;locus_tag=T_1;transl_table=11",
        "c\tgenoformer\tCDS\t4\t12\t.\t+\t0\tID=cds-c-00001.t2;Parent=mrna-c-00001.t2;locus_tag=T_1;transl_table=11",
        "c\tgenoformer\tthree_prime_UTR\t13\t13\t.\t+\t.\tID=utr-c-00001.t2-2;Parent=mrna-c-00001.t2",
        "###",
    ]
    check_by_gt(tmp_path / "a.gff3")
    found = read_annotation(tmp_path / "a.gff3").genes
    assert [one.parts for group in group_isoforms(found) for one in group] == [((3, 12),), ((3, 9),)]
    assert len(group_isoforms(found)) == 1


@pytest.mark.parametrize("strand", ["+", "-"])
def test_exons_have_scores_of_their_own_and_of_their_splice_sites(tmp_path, check_by_gt, strand):
    sites = ((None, 0.5), (0.25, 0.75), (1.0, None))
    parts = ((0, 4), (8, 20), (30, 35))
    gene = Gene("c", 0, 35, strand, parts=parts, score=0.125, part_scores=(0.9, 0.8, 0.7), site_scores=sites)
    lines = write(tmp_path / "a.gff3", "A" * 40, [gene])
    check_by_gt(tmp_path / "a.gff3")
    rows = [line.split("\t") for line in lines if line.count("\t") == 8]
    scores = {kind: [row[5] for row in rows if row[2] == kind] for kind in ("gene", "mRNA", "exon", "CDS")}
    parts_said = ["0.9000", "0.8000", "0.7000"]
    assert scores == {"gene": ["0.1250"], "mRNA": ["0.1250"], "exon": parts_said, "CDS": parts_said}
    low, high = ("acceptor", "donor") if strand == "+" else ("donor", "acceptor")
    said = [row[8].partition("Parent=mrna-c-00001")[2] for row in rows if row[2] == "exon"]
    pairs = [dict(pair.split("=") for pair in one.strip(";").split(";")) for one in said]
    assert pairs == [
        {f"{high}_score": "0.5000"}, {f"{low}_score": "0.2500", f"{high}_score": "0.7500"}, {f"{low}_score": "1.0000"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("gene", "expected"),
    [
        (Gene("c", 0, 20, "+", parts=((0, 4), (8, 20))), [0, 2]),
        (Gene("c", 0, 20, "-", parts=((0, 4), (9, 20))), [1, 0]),
        (Gene("c", 0, 20, "+", parts=((0, 4), (8, 20)), phase_offset=2, partial_5=True), [2, 1]),
        (Gene("c", 0, 20, "-", parts=((0, 4), (9, 20)), phase_offset=1, partial_5=True), [2, 1]),
    ],
)
def test_phases_count_from_the_five_prime_end_on_both_strands(gene, expected):
    assert phases(gene) == expected


@pytest.mark.parametrize(
    ("gene", "expected"),
    [
        (Gene("c", 0, 8, "+", partial_5=True, phase_offset=2), "partial=true;start_range=.,1"),
        (Gene("c", 0, 9, "-", partial_3=True), "partial=true;start_range=.,1"),
        (Gene("c", 3, 12, "+", partial_3=True), "partial=true;end_range=12,."),
        (Gene("c", 0, 12, "-", partial_5=True, partial_3=True), "partial=true;start_range=.,1;end_range=12,."),
    ],
)
def test_missing_ends_are_written_as_ranges_and_read_back(tmp_path, check_by_gt, gene, expected):
    lines = write(tmp_path / "a.gff3", "ACGTACGTACGT", [gene])
    assert sum(expected in line for line in lines) == 3  # gene, mRNA and CDS
    check_by_gt(tmp_path / "a.gff3")
    (again,) = read_annotation(tmp_path / "a.gff3").genes
    assert facts(again) == facts(replace(gene, genetic_code=11))


def test_zero_genes_and_zero_records_are_valid_files(tmp_path, check_by_gt):
    write_gff3(tmp_path / "none.gff3", [])
    assert (tmp_path / "none.gff3").read_text() == "##gff-version 3\n"
    assert write(tmp_path / "empty.gff3", "ACGT", []) == ["##gff-version 3", "##sequence-region c 1 4"]
    for name in ("none.gff3", "empty.gff3"):
        check_by_gt(tmp_path / name)
        assert read_annotation(tmp_path / name).genes == []


def test_odd_record_ids_are_escaped_and_come_back(tmp_path, check_by_gt):
    for i, record_id in enumerate(("gi|12|x", ">a;b=c,d&e%f", "é\x01~")):
        path = tmp_path / f"{i}.gff3"
        write(path, "ATGAAATAA", [Gene(record_id, 0, 9, "+")], record_id=record_id)
        check_by_gt(path)
        (gene,) = read_annotation(path).genes
        assert gene.contig == record_id and gene.id == f"cds-{record_id}-00001"


def test_ids_are_unique_over_records_and_a_repeated_record_is_refused(tmp_path):
    records = [Record(name, encode_bases("ATGAAATAA")) for name in ("a", "a-00001", "b")]
    genes = [Gene("a", 0, 9, "+"), Gene("a", 0, 9, "+", score=0.5)]
    write_gff3(tmp_path / "a.gff3", [(record, genes, False) for record in records])
    rows = [line for line in (tmp_path / "a.gff3").read_text().splitlines() if not line.startswith("#")]
    ids = [row.split("ID=")[1].split(";")[0] for row in rows]
    assert len(ids) == len(set(ids)) == 3 * 2 * 4
    with pytest.raises(DataError, match="two records are called 'a'"):
        write_gff3(tmp_path / "b.gff3", [(records[0], [], False)] * 2)
    assert not (tmp_path / "b.gff3").exists()


def test_a_failure_on_the_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.gff3"
    path.write_text("old")
    with pytest.raises(RuntimeError), Gff3Writer(path) as writer:
        writer.add(Record("c", encode_bases("ACGT")), [])
        raise RuntimeError
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.gff3"]


def test_the_order_of_the_genes_given_does_not_matter_and_the_list_is_left_alone(tmp_path):
    genes = [Gene("c", 9, 18, "-"), Gene("c", 0, 9, "+")]
    given = list(genes)
    backward = write(tmp_path / "a.gff3", "ATGAAATAACTATTTCAT", genes)
    assert genes == given
    assert backward == write(tmp_path / "b.gff3", "ATGAAATAACTATTTCAT", genes[::-1])


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_real_genes_pass_genometools_and_come_back_equal(genome, tmp_path, check_by_gt, name):
    real = genome(name)
    path = tmp_path / "a.gff3"
    scores = np.random.default_rng(0).random(len(real.annotation.genes)).round(4).tolist()
    scored = [replace(gene, score=score) for gene, score in zip(real.annotation.genes, scores, strict=True)]
    write_gff3(path, [(real.record, scored, real.circular)], genetic_code=real.genetic_code)
    check_by_gt(path)
    log = WarningLog()
    again = read_annotation(path, warnings=log)
    kept = [gene for gene in scored if not (gene.pseudo or gene.trans_spliced)]
    assert [facts(g) for g in again.genes if not g.pseudo] == [
        facts(replace(g, genetic_code=real.genetic_code)) for g in kept
    ]
    spans = [(g.start, g.end, g.strand) for g in scored if g.pseudo]
    assert [(g.start, g.end, g.strand) for g in again.genes if g.pseudo] == spans
    assert again.circular == real.annotation.circular and again.genetic_codes == real.annotation.genetic_codes
    assert again.contig_lengths == real.annotation.contig_lengths and not log.counts


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_rows_are_sorted_and_parents_come_before_children(genome, tmp_path, name):
    real = genome(name)
    write_gff3(tmp_path / "a.gff3", [(real.record, real.annotation.genes, real.circular)])
    rows = [line.split("\t") for line in (tmp_path / "a.gff3").read_text().splitlines() if line[0] != "#"]
    assert all(int(row[3]) <= int(following[3]) for row, following in pairwise(rows))
    seen = set()
    for row in rows:
        attributes = dict(pair.split("=") for pair in row[8].split(";"))
        assert attributes.get("Parent") is None or attributes["Parent"] in seen
        seen.add(attributes["ID"])


@pytest.mark.data
@pytest.mark.parametrize("name", ["mycoplasma", "phix174", "NC_019724", "chloroplast"])
def test_every_cds_in_gffutils_eyes_translates_as_in_genbank(genome, tmp_path, name):
    real = genome(name)
    path = tmp_path / "a.gff3"
    write_gff3(path, [(real.record, real.annotation.genes, real.circular)], genetic_code=real.genetic_code)
    database = gffutils.create_db(str(path), ":memory:", merge_strategy="create_unique")
    doubled = decode_bases(np.tile(real.record.codes, 2))  # genes over the origin read on into the second copy
    found = []
    for mrna in database.features_of_type("mRNA"):
        parts = list(database.children(mrna, featuretype="CDS", order_by="start", reverse=mrna.strand == "-"))
        pieces = [Seq(doubled[part.start - 1 : part.end]) for part in parts]
        bases = "".join(str(p if mrna.strand == "+" else p.reverse_complement()) for p in pieces)
        read_bp = 0
        for part, piece in zip(parts, pieces, strict=True):
            assert int(part.frame) == -read_bp % 3
            read_bp += len(piece)
        table = int(parts[0].attributes["transl_table"][0])
        found.append("M" + str(Seq(bases).translate(table=table))[1:].removesuffix("*"))
    odd = {"pseudo", "trans_splicing"}
    cds = [f for f in real.truth.features if f.type == "CDS" and not odd & set(f.qualifiers)]
    expected = [feature.qualifiers["translation"][0] for feature in cds]
    assert sorted(found) == sorted(expected)
