"""``genoformer predict`` as a user meets it: files, exit codes, interruptions and equal bytes."""

import gzip
import json
import re
import subprocess
import sys
from urllib.parse import unquote

import gffutils
import numpy as np
import pytest
import torch
from Bio import SeqIO
from Bio.Seq import Seq
from prediction_files import ODD_IDS, contents, genes_of, hidden

from genoformer.applications.genes.caller import GeneFinder
from genoformer.cli.main import main
from genoformer.files import folder_lock, verify_manifest
from genoformer.genomes.simulate import simulate_genome
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

ALL_FORMATS = "gff3,gtf,tsv,bed,protein,cds,genbank,embl,parquet"
DEFAULT_FILES = {"genes.gff3", "genes.tsv", "proteins.faa", "summary.json", "run.json", "manifest.json"}


def test_files_of_a_finished_prediction(predict, genome, tmp_path, capsys):
    assert predict(genome) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"\d+ genes in 4 records, 40,000 bp: .*\n", out) and err == ""
    assert {p.name for p in (tmp_path / "o").iterdir()} == DEFAULT_FILES | {".genoformer.lock"}
    assert set(verify_manifest(tmp_path / "o")) == DEFAULT_FILES - {"manifest.json", "run.json"}
    summary = json.loads((tmp_path / "o/summary.json").read_text())
    assert summary["n_genes"] == len(genes_of(tmp_path / "o")) > 20
    assert (summary["n_records"], summary["n_bases"]) == (4, 40_000)


def test_same_command_again_has_nothing_to_do(predict, genome, tmp_path, capsys, monkeypatch):
    predict(genome)
    before = contents(tmp_path / "o", ())
    (tmp_path / "o/notes.txt").write_text("mine")
    monkeypatch.setattr(GeneFinder, "block_candidates", lambda *a, **k: pytest.fail("the model ran"))
    for extra in ((), ("--batch-size", "3"), ("--overwrite",)):
        assert predict(genome, *extra) == 0
        assert "nothing to do" in capsys.readouterr().out
    assert contents(tmp_path / "o", ("notes.txt",)) == before
    assert hidden(tmp_path / "o") == [".genoformer.lock"]


def test_other_contents_are_refused_unless_overwritten(predict, genome, tmp_path, one_line):
    predict(genome, "--formats", ALL_FORMATS)
    before = contents(tmp_path / "o", ())
    assert predict(genome, "--min-gene-bp", "300") == 73
    one_line("--overwrite")
    assert contents(tmp_path / "o", ()) == before
    assert predict(genome, "--min-gene-bp", "300", "--overwrite") == 0
    assert set(contents(tmp_path / "o", ())) == DEFAULT_FILES


def test_changed_or_lost_results_are_not_trusted(predict, genome, tmp_path):
    predict(genome)
    good = contents(tmp_path / "o")
    (tmp_path / "o/genes.tsv").write_text("")
    assert predict(genome) == 73
    assert predict(genome, "--overwrite") == 0
    (tmp_path / "o/genes.gff3").unlink()
    assert predict(genome) == 73
    assert predict(genome, "--overwrite") == 0
    assert contents(tmp_path / "o") == good


def test_files_of_others_are_refused_and_never_deleted(predict, genome, tmp_path, one_line):
    out = tmp_path / "o"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    (out / "manifest.json").write_text('{"files": {"thesis.txt": {}, "../precious": {}}}')
    (tmp_path / "precious").write_text("mine")
    assert predict(genome) == 73
    one_line("--overwrite")
    (out / "manifest.json").unlink()
    assert predict(genome) == 73
    one_line("thesis.txt")
    (out / "manifest.json").write_text('{"files": {"thesis.txt": {}, "../precious": {}}}')
    assert predict(genome, "--overwrite") == 0
    assert (out / "thesis.txt").read_text() == (tmp_path / "precious").read_text() == "mine"


def test_an_input_that_has_the_name_of_a_result_is_never_replaced(predict, genome, tmp_path, one_line):
    (tmp_path / "o").mkdir()
    (tmp_path / "o/cds.fna").write_bytes(genome.read_bytes())
    assert predict(tmp_path / "o/cds.fna", "--overwrite") == 73
    one_line("cds.fna")
    assert (tmp_path / "o/cds.fna").read_bytes() == genome.read_bytes()


def test_outputs_that_cannot_be_made_are_exit_73(predict, genome, tmp_path, one_line):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for out in ("file", "file/below", "link", "/proc/genoformer"):
        assert predict(genome, out=out) == 73
        one_line(out)
    assert (tmp_path / "file").read_text() == "x"


def test_a_folder_that_is_in_use_is_exit_75(predict, genome, tmp_path, one_line):
    (tmp_path / "o").mkdir()
    with folder_lock(tmp_path / "o"):
        assert predict(genome) == 75
    one_line("Another run")
    assert predict(genome) == 0


def test_dry_run_writes_nothing(predict, genome, tmp_path, capsys, one_line):
    assert predict(genome, "--dry-run") == 0
    assert capsys.readouterr().out.startswith("4 records, 40,000 bp: would write to ")
    assert not list(tmp_path.iterdir())
    (tmp_path / "bad.fa").write_text(">a\nAC!\n")
    assert predict(tmp_path / "bad.fa", "--dry-run") == 65
    one_line("bad.fa line 2")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--formats", "gff3,xls"], "xls"),
        (["--formats", ""], "--formats"),
        (["--shard", "3/2"], "3/2"),
        (["--shard", "0/2"], "0/2"),
        (["--shard", "one"], "one"),
        (["--batch-size", "0"], "--batch-size"),
        (["--threads", "0"], "--threads"),
        (["--threads", "-2"], "--threads"),
        (["--min-gene-bp", "-1"], "--min-gene-bp"),
        (["--min-gene-bp", "long"], "'long'"),
        (["--genetic-code", "99"], "99"),
        (["--region", "chr1"], "chr1"),
        (["--region", "chr1:0-10"], "chr1:0-10"),
        (["--region", "chr1:20-10"], "chr1:20-10"),
        (["--region", "chr9:1-10"], "chr9"),
        (["--region", "chr1:10001-10010"], "10000 bp"),
        (["--circular", "chr1,chr9"], "chr9"),
        (["--device", "abacus"], "abacus"),
        (["--device", "meta"], "meta"),
        (["--precision", "int3"], "int3"),
        (["--allow-empty"], "error[OPTION-004] --allow-empty: a model for gene_structure takes no --allow-empty"),
    ],
)
def test_bad_value_is_one_line_and_exit_2(predict, genome, tmp_path, one_line, arguments, said):
    assert predict(genome, *arguments) == 2
    one_line(said)
    assert not (tmp_path / "o").exists() or hidden(tmp_path / "o") == [p.name for p in (tmp_path / "o").iterdir()]


def test_missing_file_and_unknown_model_are_exit_66(predict, genome, tmp_path, one_line):
    assert predict(genome, tmp_path / "absent.fa") == 66
    one_line("absent.fa")
    assert main(["predict", str(genome), "--model", "no_such_model", "-o", str(tmp_path / "o")]) == 66
    one_line("no_such_model")
    assert main(["predict", str(genome), "--model", str(tmp_path), "-o", str(tmp_path / "o")]) == 65
    one_line("manifest.json")
    assert not contents(tmp_path / "o")


def test_several_files_are_one_genome_and_an_id_must_not_repeat(predict, genome, tmp_path, one_line):
    records = genome.read_text().split(">")[1:]
    for name, part in (("a.fa", records[:1]), ("b.fa", records[1:])):
        (tmp_path / name).write_text("".join(f">{text}" for text in part))
    assert predict(tmp_path / "a.fa", tmp_path / "b.fa", out="two") == predict(genome, out="one") == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert predict(genome, tmp_path / "b.fa") == 65
    one_line("is also in")


def test_gzip_and_standard_input_give_the_same_bytes(predict, genome, tiny_bundle, tmp_path):
    predict(genome)
    (tmp_path / "g.fa.gz").write_bytes(gzip.compress(genome.read_bytes()))
    predict(tmp_path / "g.fa.gz", out="gz")
    command = [sys.executable, "-m", "genoformer", "predict", "-", "--model", tiny_bundle, "-o", tmp_path / "pipe"]
    for _ in range(2):
        done = subprocess.run(command, input=(tmp_path / "g.fa.gz").read_bytes(), capture_output=True, check=True)
    assert b"nothing to do" in done.stdout and hidden(tmp_path / "pipe") == [".genoformer.lock"]
    assert contents(tmp_path / "o") == contents(tmp_path / "gz") == contents(tmp_path / "pipe")


def test_standard_input_twice_is_a_usage_error(predict, one_line):
    assert predict("-", "-") == 2
    one_line("once")


def test_region_gives_genes_inside_it_in_coordinates_of_the_record(predict, genome, tmp_path, need_tool):
    predict(genome, "--no-statistics")
    whole = {tuple(row[2:5]) for row in genes_of(tmp_path / "o") if row[0] == "chr1"}
    assert predict(genome, "--no-statistics", "--region", "chr1:2,001-8000", out="r") == 0
    rows = genes_of(tmp_path / "r")
    assert {row[0] for row in rows} == {"chr1"} and all(2001 <= int(r[2]) < int(r[3]) <= 8000 for r in rows)
    complete = {tuple(row[2:5]) for row in rows if row[6] == "00"}
    assert len(complete) >= 3 and len(complete & whole) >= len(complete) - 1
    check_gff3(tmp_path / "r", genome, need_tool)
    assert json.loads((tmp_path / "r/summary.json").read_text())["n_bases"] == 6000


@pytest.mark.parametrize("region", ["HLA:1-5", "HLA:1,001-2,000"])
def test_region_that_is_the_name_of_a_record_is_refused(predict, genome, tmp_path, one_line, capsys, region):
    bases = genome.read_text().split(">")[1].partition("\n")[2]
    (tmp_path / "g.fa").write_text(f">HLA\n{bases}>{region}\n{bases}")
    assert predict(tmp_path / "g.fa", "--region", region) == 2
    one_line(f'REGION-004] --region: "{region}" is')
    assert predict(tmp_path / "g.fa", "--region", f"{region}:1-2000") == 0
    assert "2,000 bp" in capsys.readouterr().out
    (tmp_path / "g.fa").write_text(f">{region}\n{bases}")
    assert predict(tmp_path / "g.fa", "--region", region, out="alone") == 2
    one_line('there is no record "HLA"')


@pytest.mark.parametrize(
    "fasta", [">n\n" + "N" * 5000 + "\n", ">a\nAC\n", ">r\nRYSWKM\n", ">a\n" + "CCCCCCCCCA" * 20 + "\n"]
)
def test_no_gene_is_a_valid_complete_result(predict, tmp_path, capsys, need_tool, fasta):
    (tmp_path / "x.fa").write_text(fasta)
    assert predict(tmp_path / "x.fa", "--formats", ALL_FORMATS) == 0
    assert capsys.readouterr().out.startswith("0 genes in 1 record,")
    assert set(verify_manifest(tmp_path / "o")) >= {"genes.bed", "cds.fna"}
    assert genes_of(tmp_path / "o") == []
    subprocess.run([need_tool("gt"), "gff3validator", tmp_path / "o/genes.gff3"], check=True, capture_output=True)


def check_gff3(folder, fasta, need_tool, table=11):
    """``gt`` accepts the GFF3, and every CDS read by gffutils translates to our protein without a stop inside."""
    gff3 = folder / "genes.gff3"
    validated = subprocess.run(
        [need_tool("gt"), "gff3validator", "-typecheck", "so", gff3], capture_output=True, text=True
    )
    assert validated.returncode == 0, validated.stderr
    sequences = {record.id: record.seq for record in SeqIO.parse(fasta, "fasta")}
    proteins = entries_by_gene(folder / "proteins.faa")
    database = gffutils.create_db(str(gff3), ":memory:", merge_strategy="error")
    coding = {cds["ID"][0].removeprefix("cds-"): cds for cds in database.features_of_type("CDS")}
    assert set(coding) == set(proteins) and len(genes_of(folder)) == len(proteins)
    for name, cds in coding.items():
        protein = proteins[name]
        sequence = sequences[unquote(cds.seqid)]
        bases = (sequence + sequence)[cds.start - 1 : cds.end]
        bases = (bases if cds.strand == "+" else bases.reverse_complement())[int(cds.frame) :]
        translated = str(Seq(str(bases[: len(bases) // 3 * 3])).translate(table=table))
        assert "*" not in translated[:-1] and translated[1:] == protein[1:]
        if "partial" not in cds.attributes:
            assert translated.endswith("*") and protein.startswith("M") and len(bases) % 3 == 0
    return list(coding.values())


def test_gff3_of_odd_ids_and_partial_genes_is_valid_and_translates(predict, tmp_path, need_tool):
    def middle(gene):
        return gene.start + gene.length_bp // 2

    contigs = zip(ODD_IDS, simulate_genome(length_bp=60_000, gc=0.5, seed=4, n_contigs=4), strict=True)
    cut = [Record(name, record.codes[middle(genes[0]) : middle(genes[-1])]) for name, (record, genes) in contigs]
    write_fasta(tmp_path / "cut.fa", cut)
    assert predict(tmp_path / "cut.fa", "--formats", ALL_FORMATS, "--locus-tag", "A;B=1,2") == 0
    coding = check_gff3(tmp_path / "o", tmp_path / "cut.fa", need_tool)
    assert {unquote(cds.seqid) for cds in coding} == set(ODD_IDS)
    partial = {(cds.strand, "start_range" in cds.attributes) for cds in coding if "partial" in cds.attributes}
    assert len(partial) >= 3
    tags = {cds["ID"][0]: cds["locus_tag"] for cds in coding}
    assert tags[f"cds-{ODD_IDS[0]}-00001"] == ["A;B=1,2_00001"]


def test_other_programs_read_the_same_genes_out_of_every_file(predict, tmp_path, need_tool):
    """Genes that miss an end, too; ids are plain ones, as gffread does not decode column 1."""
    contigs = simulate_genome(length_bp=66_000, gc=0.5, seed=4, n_contigs=11)  # in an order that is not that of names
    cut = [
        Record(
            f"c{i}", record.codes[(genes[0].start + genes[0].end) // 2 + i % 3 : (genes[-1].start + genes[-1].end) // 2]
        )
        for i, (record, genes) in enumerate(contigs)
    ]
    write_fasta(tmp_path / "cut.fa", cut)
    assert predict(tmp_path / "cut.fa", "--formats", ALL_FORMATS) == 0
    out = tmp_path / "o"
    partial = {row[6] + row[4] for row in genes_of(out)}
    assert {"10+", "10-", "01+", "01-"} <= partial
    command = [need_tool("gt"), "eval", out / "genes.gff3", out / "genes.gff3"]
    assert (
        f"({len(genes_of(out))}/{len(genes_of(out))})" in subprocess.run(command, capture_output=True, text=True).stdout
    )
    ours = {name: entries_by_gene(out / name) for name in ("proteins.faa", "cds.fna")}
    for annotation in ("genes.gff3", "genes.gtf"):
        options = ["-g", tmp_path / "cut.fa", "-x", tmp_path / "x.fna", "-y", tmp_path / "y.faa", out / annotation]
        subprocess.run([need_tool("gffread"), *options], check=True, capture_output=True)
        spliced, translated = (
            {entry.id.removeprefix("mrna-"): str(entry.seq) for entry in SeqIO.parse(tmp_path / name, "fasta")}
            for name in ("x.fna", "y.faa")
        )
        assert spliced == ours["cds.fna"]
        # gffread marks a missing stop codon with ".", and translates every start codon as it is.
        assert {name: text.rstrip(".")[1:] for name, text in translated.items()} == {
            name: text.rstrip("*")[1:] for name, text in ours["proteins.faa"].items()
        }


def entries_by_gene(path):
    """Sequences of our FASTA files by the number of the gene in its record."""
    return {
        re.search("ID=gene-(.+);partial=", entry.description)[1]: str(entry.seq) for entry in SeqIO.parse(path, "fasta")
    }


def test_gffutils_reads_the_genes_of_odd_ids_out_of_gff3_and_gtf(predict, genome, tmp_path):
    assert predict(genome, "--formats", "gff3,gtf,tsv") == 0
    expected = sorted((row[0], int(row[2]), int(row[3])) for row in genes_of(tmp_path / "o"))
    for name, decode in (("genes.gff3", unquote), ("genes.gtf", str)):
        options = {"disable_infer_genes": True, "disable_infer_transcripts": True} if decode is str else {}
        database = gffutils.create_db(str(tmp_path / "o" / name), ":memory:", merge_strategy="error", **options)
        genes = database.features_of_type("gene")
        assert sorted((decode(gene.seqid), gene.start, gene.end) for gene in genes) == expected


def test_genes_of_genetic_code_4_translate(predict, tmp_path, need_tool):
    (record, _), *_ = simulate_genome(length_bp=20_000, gc=0.3, seed=2, genetic_code=4)
    write_fasta(tmp_path / "m.fa", [record])
    assert predict(tmp_path / "m.fa", "--genetic-code", "4") == 0
    assert len(check_gff3(tmp_path / "o", tmp_path / "m.fa", need_tool, table=4)) > 5


def test_genes_over_the_origin_are_found_and_translate(predict, tmp_path, need_tool):
    (record, genes), *_ = simulate_genome(length_bp=20_000, gc=0.5, seed=5)
    middle = max(genes, key=lambda gene: gene.length_bp)
    cut = (middle.start + middle.end) // 2
    codes = np.roll(record.codes, -cut)
    for name, description, option in (("a", "", "plasmid"), ("b", "topology=circular", "auto"), ("c", "", "none")):
        write_fasta(tmp_path / "p.fa", [Record("plasmid", codes, description)])
        assert predict(tmp_path / "p.fa", "--circular", option, out=name) == 0
    assert contents(tmp_path / "a", ("run.json", "manifest.json")) == contents(
        tmp_path / "b", ("run.json", "manifest.json")
    )
    coding = check_gff3(tmp_path / "a", tmp_path / "p.fa", need_tool)
    over = [cds for cds in coding if cds.end > 20_000]
    assert [(cds.strand, cds.end if cds.strand == "+" else cds.start) for cds in over] == [
        (middle.strand, middle.end - cut + 20_000 if middle.strand == "+" else middle.start - cut + 20_001)
    ]
    assert all(int(row[3]) <= 20_000 for row in genes_of(tmp_path / "c"))
    assert "left_out" not in json.loads((tmp_path / "a/summary.json").read_text())


def test_a_gene_over_the_origin_that_gtf_cannot_hold_is_said_and_counted(predict, tmp_path, capsys):
    (record, genes), *_ = simulate_genome(length_bp=20_000, gc=0.5, seed=5)
    middle = max(genes, key=lambda gene: gene.length_bp)
    codes = np.roll(record.codes, -(middle.start + middle.end) // 2)
    for text, option, n_over in (("circular=true", "auto", 1), ("", "none", 0)):
        write_fasta(tmp_path / "p.fa", [Record("plasmid", codes, text), Record("other", record.codes)])
        assert predict(tmp_path / "p.fa", "--formats", ALL_FORMATS, "--circular", option, out=option) == 0
        said = capsys.readouterr().err.splitlines()
        summary = json.loads((tmp_path / option / "summary.json").read_text())
        n_rows = (tmp_path / option / "genes.gtf").read_text().count("\tgene\t")
        assert summary["n_genes"] == len(genes_of(tmp_path / option)) == n_rows + n_over
        assert summary.get("left_out", {}) == ({"genes.gtf": 1} if n_over else {})
        assert len(said) == n_over and all("warning[GENES-101] 1 ×, first: genes.gtf: gene-plasmid-" in s for s in said)


def test_bytes_do_not_depend_on_batches_threads_paths_or_time(predict, genome, tmp_path, monkeypatch):
    before = torch.get_num_threads()
    other = tmp_path / "elsewhere" / "copy.fa"
    other.parent.mkdir()
    other.write_bytes(genome.read_bytes())
    try:
        predict(genome, "--precision", "float32", "--threads", "1", out="a")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("time.time", lambda: 0.0)
        predict("elsewhere/copy.fa", "--precision", "float32", "--threads", "2", out="b")
    finally:
        torch.set_num_threads(before)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    text = b"".join(contents(tmp_path / "a").values())
    assert b"genome.fa" not in text and str(tmp_path).encode() not in text
