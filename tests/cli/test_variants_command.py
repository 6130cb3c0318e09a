"""``genoformer variants``: files that bcftools reads, rows that are left alone, refusals, and doing nothing twice."""

import csv
import gzip
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle
from tiny_sequence_bundle import write_sequence_bundle

from genoformer.annotation.models import Gene
from genoformer.annotation.write_gff3 import write_gff3
from genoformer.cli.main import main
from genoformer.files import verify_manifest
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

HEADER = (
    '##fileformat=VCFv4.2\n##source=me\n##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">\n'
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts1\n"
)
OTHER = {"A": "C", "C": "A", "G": "T", "T": "G"}
BCFTOOLS = "import sys, pysam.bcftools as b; sys.stdout.write(getattr(b, sys.argv[1])(*sys.argv[2:]))"


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """Two contigs with known genes: their records, and the files."""
    folder = tmp_path_factory.mktemp("genome")
    contigs = simulate_genome(length_bp=16_000, gc=0.5, seed=5, n_contigs=2)
    found = [(Record(f"c{i}", record.codes), genes) for i, (record, genes) in enumerate(contigs)]
    write_fasta(folder / "genome.fa", [record for record, _ in found])
    write_gff3(folder / "genes.gff3", [(record, genes, False) for record, genes in found])
    return folder, found


@pytest.fixture
def rows(genome, tmp_path):
    """``rows((contig, position, ref, alt), …)`` writes a VCF file; a ref of None is what stands there."""

    def write(*wanted, name="a.vcf"):
        texts = {record.id: decode_bases(record.codes) for record, _ in genome[1]}
        lines = []
        for contig, position, ref, alt in wanted:
            ref = texts[contig][position - 1] if ref is None else ref
            alt = OTHER[ref] if alt is None else alt
            lines.append(f"{contig}\t{position}\t.\t{ref}\t{alt}\t7\tPASS\tDP=4\tGT\t0/1\n")
        path = tmp_path / name
        path.write_text(HEADER + "".join(lines))
        return path

    return write


@pytest.fixture
def run(genome, tmp_path):
    """``run(vcf, …)`` runs the command on the annotation without a model, unless told otherwise; the exit code."""

    def call(vcf, *more, out="o", model="none"):
        known = ["--annotation", str(genome[0] / "genes.gff3")] if model == "none" else []
        words = [str(genome[0] / "genome.fa"), str(vcf), "-o", str(tmp_path / out), "--model", str(model), *known]
        return main(["variants", *words, *map(str, more)])

    return call


def table(folder):
    return list(csv.DictReader((folder / "variants.tsv").open(), delimiter="\t"))


def bcftools(*words):
    done = subprocess.run([sys.executable, "-c", BCFTOOLS, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bcftools_reads_what_is_written_plain_and_indexed(genome, rows, run, tmp_path, need_package):
    need_package("pysam")
    gene = next(gene for gene in genome[1][0][1] if gene.strand == "+")
    vcf = rows(("c1", 50, None, None), ("c0", gene.start + 10, None, None), ("c0", 9, None, "<DEL>"))
    assert run(vcf, "--formats", "vcf,tsv,bgzip") == 0
    query = ["query", "-f", "%CHROM %POS %GF_STATUS %GF_CSQ %DP [%GT]\n"]
    plain = bcftools(*query, tmp_path / "o" / "variants.vcf").splitlines()
    assert [line.split()[:3] for line in plain] == [
        ["c0", "9", "symbolic"], ["c0", str(gene.start + 10), "judged"], ["c1", "50", "judged"],
    ]  # fmt: skip
    assert plain[1].split()[3].startswith("1|") and plain[1].endswith(" 4 0/1")
    packed = bcftools(*query, "-r", "c1", tmp_path / "o" / "variants.vcf.gz").splitlines()
    assert packed == plain[2:]
    assert set(verify_manifest(tmp_path / "o")) == {
        "variants.vcf", "variants.tsv", "variants.vcf.gz", "variants.vcf.gz.tbi", "summary.json",
    }  # fmt: skip


def test_columns_that_do_not_count_come_out_as_they_were(rows, run, tmp_path):
    vcf = rows(("c0", 100, None, None))
    assert run(vcf) == 0
    before, after = (path.read_text().splitlines()[-1].split("\t") for path in (vcf, tmp_path / "o" / "variants.vcf"))
    assert after[:7] == before[:7] and after[8:] == before[8:]
    assert after[7].startswith("DP=4;GF_STATUS=judged")


def test_the_first_and_the_last_base_of_a_contig_can_change(genome, rows, run, tmp_path, tiny_bundle):
    last = len(genome[1][0][0])
    text = decode_bases(genome[1][0][0].codes)
    vcf = rows(("c0", 1, None, None), ("c0", last, None, None), ("c0", last, None, text[-1] + "ACGT"))
    assert run(vcf, model=tiny_bundle) == 0
    assert {row["status"] for row in table(tmp_path / "o")} == {"judged"}


def test_rows_that_do_not_fit_are_errors_or_counted(rows, run, tmp_path, capsys):
    path = rows(("c0", 20, None, None))
    base = path.read_text().splitlines()[-1].split("\t")[3]
    cases = [(("c0", 20, OTHER[base], base), "VARIANTS-007"), (("c9", 20, "A", "C"), "VARIANTS-008")]
    cases.append((("c0", 99_999, "A", "C"), "VARIANTS-009"))
    for i, (row, code) in enumerate(cases):
        vcf = rows(("c0", 20, None, None), row)
        assert run(vcf, out=f"e{i}") == 65
        assert code in capsys.readouterr().err
        assert run(vcf, "--skip", out=f"s{i}") == 0
        assert code.replace("-0", "-1") in capsys.readouterr().err
    statuses = [{row["status"] for row in table(tmp_path / f"s{i}")} for i in range(3)]
    assert statuses == [{"judged", "ref_mismatch"}, {"judged", "unknown_contig"}, {"judged", "outside"}]


@pytest.mark.parametrize(
    ("alt", "status"),
    [("<DUP>", "symbolic"), ("*", "star"), ("A[c1:5[", "breakend"), (".", "missing")],
)
def test_alleles_that_name_no_bases_are_left_as_they_are(rows, run, tmp_path, alt, status):
    assert run(rows(("c0", 30, None, alt))) == 0
    assert [row["status"] for row in table(tmp_path / "o")] == [status]
    assert json.loads((tmp_path / "o" / "summary.json").read_text())["statuses"] == {status: 1}


def test_each_allele_of_a_row_is_told_by_itself(genome, rows, run, tmp_path):
    gene = next(gene for gene in genome[1][0][1] if gene.strand == "+")
    text = decode_bases(genome[1][0][0].codes)
    ref = text[gene.start + 6]
    vcf = rows(("c0", gene.start + 7, ref, f"{ref}A,{OTHER[ref]},*"))
    assert run(vcf) == 0
    found = table(tmp_path / "o")
    assert [row["status"] for row in found] == ["judged", "judged", "star"]
    assert found[0]["finding"] == "frameshift"
    info = (tmp_path / "o" / "variants.vcf").read_text().splitlines()[-1].split("\t")[7]
    assert "GF_STATUS=judged,judged,star" in info and "GF_CSQ=1|frameshift|" in info and ",2|" in info


def test_rows_out_of_order_come_out_sorted_with_a_warning(rows, run, tmp_path, capsys):
    places = [("c0", 5, None, None), ("c0", 60, None, None), ("c1", 7, None, None)]
    assert run(rows(*places)) == 0 and "VARIANTS-101" not in capsys.readouterr().err
    assert run(rows(*places[::-1], name="b.vcf"), out="p") == 0 and "VARIANTS-101" in capsys.readouterr().err
    assert (tmp_path / "o" / "variants.vcf").read_bytes() == (tmp_path / "p" / "variants.vcf").read_bytes()


def test_rows_alone_compressed_or_from_standard_input_give_the_same(rows, run, tmp_path, monkeypatch):
    vcf = rows(("c0", 5, None, None), ("c1", 7, None, None))
    packed = tmp_path / "a.vcf.gz"
    packed.write_bytes(gzip.compress(vcf.read_bytes()))
    assert run(vcf) == 0 and run(packed, out="p") == 0
    with open(vcf, "rb") as file:
        monkeypatch.setattr("genoformer.sequence.byte_chunks.STDIN_DESCRIPTOR", file.fileno())
        assert run("-", out="q") == 0
    assert len({(tmp_path / out / "variants.vcf").read_bytes() for out in "opq"}) == 1
    assert not (tmp_path / "q" / ".work").exists()


def test_the_same_command_does_nothing_and_another_one_is_refused(rows, run, tmp_path, capsys):
    vcf = rows(("c0", 5, None, None))
    assert run(vcf) == 0
    before = (tmp_path / "o" / "run.json").stat().st_mtime_ns
    assert run(vcf) == 0 and "nothing to do" in capsys.readouterr().out
    assert (tmp_path / "o" / "run.json").stat().st_mtime_ns == before
    assert run(vcf, "--skip") == 73 and "OUT-003" in capsys.readouterr().err
    assert run(vcf, "--skip", "--overwrite") == 0


def test_a_file_without_rows_gives_one_without_rows_and_an_empty_file_an_error(
    rows, run, tmp_path, capsys, tiny_bundle
):
    assert run(rows(), model=tiny_bundle) == 0
    assert (tmp_path / "o" / "variants.vcf").read_text().count("\n#CHROM") == 1
    (tmp_path / "b.vcf").write_text("")
    assert run(tmp_path / "b.vcf", out="p") == 65 and "VARIANTS-001" in capsys.readouterr().err


def test_judging_what_was_judged_gives_the_same_file(rows, run, tmp_path):
    assert run(rows(("c0", 5, None, None), ("c1", 500, None, None))) == 0
    assert run(tmp_path / "o" / "variants.vcf", out="p") == 0
    assert (tmp_path / "o" / "variants.vcf").read_bytes() == (tmp_path / "p" / "variants.vcf").read_bytes()


def test_a_model_of_genes_tells_what_becomes_of_them(genome, rows, run, tmp_path, tiny_bundle):
    places = [("c0", position, None, None) for position in range(300, 7_000, 97)]
    assert run(rows(*places), model=tiny_bundle) == 0
    found = [row for row in table(tmp_path / "o") if row["about"] == "gene"]
    assert found and {"gene-c0-"} == {row["name"][:8] for row in found if row["before"]}
    assert {row["about"] for row in table(tmp_path / "o")} >= {"gene", "consequence"}


def test_an_interrupted_run_continues(rows, run, tmp_path, tiny_bundle, monkeypatch):
    vcf = rows(*[("c0", position, None, None) for position in range(300, 900, 50)])
    assert run(vcf, model=tiny_bundle, out="whole") == 0
    monkeypatch.setattr("genoformer.variants.run.CHUNK_ROWS", 5)
    from genoformer.applications.genes.variants import GeneVariants

    judge, calls = GeneVariants.judge, []

    def stop_at_second(self, *given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return judge(self, *given)

    monkeypatch.setattr(GeneVariants, "judge", stop_at_second)
    assert run(vcf, model=tiny_bundle) == 130
    assert run(vcf, model=tiny_bundle) == 0
    assert len(calls) == 4  # of three chunks the first one was kept
    assert (tmp_path / "o" / "variants.vcf").read_bytes() == (tmp_path / "whole" / "variants.vcf").read_bytes()


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_a_model_of_sequences_tells_the_change_of_each_output(genome, rows, run, tmp_path, kind, capsys):
    bundle = write_function_bundle(tmp_path / "m", kind, max_bp=10_000)
    gene = genome[1][0][1][0]
    vcf = rows(("c0", gene.start + 10, None, None))
    assert run(vcf, "--annotation", genome[0] / "genes.gff3", model=bundle) == 0
    found = [row for row in table(tmp_path / "o") if row["about"] == "output"]
    assert {row["finding"] for row in found} == ({"value"} if kind == "regression" else {"a", "b", "c"})
    change = [float(row["after"]) - float(row["before"]) for row in found]
    assert np.allclose(change, [float(row["change"]) for row in found], atol=1e-4) and any(change)
    assert run(vcf, model=bundle, out="p") == 0  # contigs are short enough to be read whole
    assert {row["name"] for row in table(tmp_path / "p")} == {"c0"}


def test_a_record_that_the_model_cannot_read_whole_needs_an_annotation(rows, run, tmp_path, capsys):
    assert run(rows(("c0", 5, None, None)), model=write_function_bundle(tmp_path / "m")) == 2
    assert "VARIANTS-014" in capsys.readouterr().err


def test_a_model_with_introns_is_asked_too(rows, run, tmp_path):
    bundle = write_tiny_intron_bundle(tmp_path / "m")
    assert run(rows(*[("c0", p, None, None) for p in range(200, 4_000, 400)]), model=bundle) == 0
    assert {row["status"] for row in table(tmp_path / "o")} == {"judged"}


def test_what_cannot_be_asked_is_refused(rows, run, tmp_path, capsys, genome):
    vcf = rows(("c0", 5, None, None))
    assert run(vcf, model=write_sequence_bundle(tmp_path / "m", "contacts")) == 2
    assert "VARIANTS-012" in capsys.readouterr().err
    words = [str(genome[0] / "genome.fa"), str(vcf), "-o", str(tmp_path / "n"), "--model", "none"]
    assert main(["variants", *words]) == 2 and "VARIANTS-011" in capsys.readouterr().err


def test_bgzip_without_its_package_is_refused_by_name(rows, run, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pysam", None)
    assert run(rows(("c0", 5, None, None)), "--formats", "bgzip") == 2
    assert "genoformer[hts]" in capsys.readouterr().err


def test_a_variant_over_the_origin_of_a_circular_record_is_told(tmp_path):
    record, _ = next(iter(simulate_genome(length_bp=6_000, gc=0.5, seed=8, n_contigs=1)))
    codes = record.codes
    write_fasta(tmp_path / "g.fa", [Record("c", codes, "circular=true")])
    gene = Gene("c", 5_900, 6_200, "+", parts=((5_900, 6_200),), partial_5=True, partial_3=True)
    write_gff3(tmp_path / "g.gff3", [(Record("c", codes), [gene], True)])
    text = decode_bases(codes)
    vcf = tmp_path / "a.vcf"
    columns = HEADER.replace("\tFORMAT\ts1", "")
    vcf.write_text(f"{columns}c\t1\t.\t{text[0]}\t{text[0]}A\t.\t.\t.\nc\t6000\t.\t{text[-1]}\t{text[-1]}A\t.\t.\t.\n")
    words = ["variants", str(tmp_path / "g.fa"), str(vcf), "-o", str(tmp_path / "o"), "--model", "none"]
    assert main([*words, "--annotation", str(tmp_path / "g.gff3")]) == 0
    assert [row["finding"] for row in table(tmp_path / "o")] == ["frameshift", "frameshift"]


def test_standard_input_cannot_be_both(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["variants", "-", "-", "-o", str(tmp_path / "o")]) == 2
    assert "INPUT-002" in capsys.readouterr().err
