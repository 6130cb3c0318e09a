"""Files of sequences: FASTA, GenBank and EMBL give the same records, and predictions of them are the same."""

import gzip
import json
import subprocess
import sys
import warnings

import numpy as np
import pysam
import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from prediction_files import contents

from genoformer.cli.main import main
from genoformer.errors import DataError, MissingFileError
from genoformer.genomes.simulate import simulate_genome
from genoformer.inference.input_files import is_flat_file, read_records
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

FLAT_FORMATS = ["genbank", "embl"]
NOT_THE_SAME = ("run.json", "manifest.json", "summary.json")


def write_flat(path, kind, records, circular=()):
    """Write records as GenBank or EMBL, with Biopython."""
    entries = []
    for record in records:
        entry = SeqRecord(Seq(decode_bases(record.codes)), id=record.id, name=record.id, description="made up, whole")
        topology = "circular" if record.id in circular else "linear"
        entry.annotations = {"molecule_type": "DNA", "topology": topology, "data_file_division": "BCT"}
        entries.append(entry)
    with open(path, "w") as file:
        SeqIO.write(entries, file, kind)
    return path


@pytest.fixture(scope="module")
def records():
    """Two made-up contigs; the first is cut inside its longest gene, so that a circle has a gene over the origin."""
    (first, genes), *_ = simulate_genome(length_bp=20_000, gc=0.5, seed=5)
    longest = max(genes, key=lambda gene: gene.length_bp)
    (second, _), *_ = simulate_genome(length_bp=10_000, gc=0.5, seed=6)
    return [Record("AB1.1", np.roll(first.codes, -(longest.start + longest.end) // 2)), Record("AB2.1", second.codes)]


def facts(found):
    return [(record.id, decode_bases(record.codes), record.circular) for record in found]


@pytest.mark.parametrize("kind", FLAT_FORMATS)
def test_flat_files_give_the_records_of_fasta_and_their_topology(tmp_path, records, kind):
    write_fasta(tmp_path / "a.fa", records)
    path = write_flat(tmp_path / "a.fasta", kind, records, circular=["AB1.1"])
    (tmp_path / "a.gz").write_bytes(gzip.compress(path.read_bytes()))
    with pysam.BGZFile(str(tmp_path / "a.bgz"), "wb") as file:
        file.write(path.read_bytes())
    expected = [(name, bases, name == "AB1.1") for name, bases, _ in facts(read_records(tmp_path / "a.fa"))]
    for name in ("a.fasta", "a.gz", "a.bgz"):
        assert is_flat_file(tmp_path / name)
        assert facts(read_records(tmp_path / name)) == expected
    (tmp_path / "cut.bgz").write_bytes((tmp_path / "a.bgz").read_bytes()[:-28])
    with pytest.raises(DataError, match=r"cut.bgz"):
        list(read_records(tmp_path / "cut.bgz"))


def test_a_name_that_says_circular_is_no_topology(tmp_path, records):
    path = write_flat(tmp_path / "a.gb", "genbank", [Record("circular", records[1].codes)])
    assert [record.circular for record in read_records(path)] == [False]


@pytest.mark.parametrize(
    "text",
    [">a\nACGT\n", ">LOCUS\nACGT\n", "\n>LOCUS x\nACGT\n", ";LOCUS \n>a\nACGT\n", "", "##gff-version 3\n", "\x1f\x8b"],
)
def test_everything_else_is_left_to_the_fasta_reader(tmp_path, text):
    (tmp_path / "a").write_bytes(text.encode("latin-1"))
    assert not is_flat_file(tmp_path / "a") and not is_flat_file(tmp_path) and not is_flat_file(tmp_path / "none")
    with pytest.raises(MissingFileError, match="FASTA-001"):
        list(read_records(tmp_path / "none"))


@pytest.fixture
def predict(tiny_bundle, tmp_path):
    """``predict(file, …, out="o")``: the exit code."""

    def run(*arguments, out="o"):
        return main(["predict", *map(str, arguments), "--model", str(tiny_bundle), "-o", str(tmp_path / out)])

    return run


@pytest.mark.parametrize("kind", FLAT_FORMATS)
def test_prediction_is_that_of_fasta_with_its_circular_records_named(predict, tmp_path, records, kind, capsys):
    write_fasta(tmp_path / "a.fa", records)
    path = write_flat(tmp_path / "a.seq", kind, records, circular=["AB1.1"])
    for name, arguments in (("round", ["--circular", "AB1.1"]), ("linear", [])):
        assert predict(tmp_path / "a.fa", *arguments, out=name) == 0
    assert predict(path, out="flat") == predict(path, "--circular", "none", out="none") == 0
    assert contents(tmp_path / "flat", NOT_THE_SAME) == contents(tmp_path / "round", NOT_THE_SAME)
    assert contents(tmp_path / "none", NOT_THE_SAME) == contents(tmp_path / "linear", NOT_THE_SAME)
    assert "Is_circular=true" in (tmp_path / "flat/genes.gff3").read_text()
    capsys.readouterr()
    # The results are the same, so that what is there already is enough; those of other ends are not.
    assert predict(path, out="round") == 0 and "nothing to do" in capsys.readouterr().out
    assert predict(tmp_path / "a.fa", out="flat") == 73


def test_the_word_of_a_fasta_header_belongs_to_what_is_asked(predict, tmp_path, records):
    for text, code in (("circular=true", 0), ("circular=true", 0), ("", 73)):
        write_fasta(tmp_path / "a.fa", [Record("a", records[0].codes, text)])
        assert predict(tmp_path / "a.fa") == code
    key = json.loads((tmp_path / "o/run.json").read_text())["key"]
    assert key["circular"] == ["a"]


def test_merge_refuses_an_input_whose_records_are_circular_since(predict, tmp_path, records, capsys):
    for text, code in (("", 0), ("circular=true", 65)):
        write_fasta(tmp_path / "a.fa", [Record("a", records[1].codes, text)])
        if not code:
            assert predict(tmp_path / "a.fa", "--shard", "1/1", out="parts") == 0
        assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / f"merged{code}")]) == code
    assert "SHARD-005" in capsys.readouterr().err


@pytest.mark.slow
def test_standard_input_shards_and_mixed_files_give_the_same_bytes(predict, tiny_bundle, tmp_path, records):
    both = write_flat(tmp_path / "both.gb", "genbank", records, circular=["AB1.1"])
    assert predict(both, out="one") == 0
    first = write_flat(tmp_path / "first.gb", "genbank", records[:1], circular=["AB1.1"])
    write_fasta(tmp_path / "second.fa", records[1:])
    assert predict(first, tmp_path / "second.fa", out="mixed") == 0
    options = ["--model", str(tiny_bundle), "-o", str(tmp_path / "pipe")]
    for more in (["--dry-run"], []):
        command = [sys.executable, "-m", "genoformer", "predict", "-", *options, *more]
        done = subprocess.run(command, input=gzip.compress(both.read_bytes()), capture_output=True, check=True)
        assert b"2 records, 30,000 bp" in done.stdout
        assert (tmp_path / "pipe").exists() == (not more)
    for number in (1, 2):
        assert predict(both, "--shard", f"{number}/2", out="parts") == 0
    assert main(["merge", str(tmp_path / "parts"), "-o", str(tmp_path / "merged")]) == 0
    for name in ("mixed", "pipe", "merged"):
        assert contents(tmp_path / name, NOT_THE_SAME) == contents(tmp_path / "one", NOT_THE_SAME)


@pytest.mark.data
def test_odd_genbank_files_are_read_as_biopython_reads_them_or_refused(data_dir):
    n_read = 0
    for path in sorted((data_dir / "malformed/biopython/GenBank").iterdir()):
        assert is_flat_file(path)
        try:
            found = [(*fact[1:], fact[0]) for fact in facts(read_records(path))]
        except DataError as error:
            assert str(path) in error.where
            continue
        with warnings.catch_warnings(), (gzip.open if path.suffix == ".bgz" else open)(path, "rt") as file:
            warnings.simplefilter("ignore")
            entries = list(SeqIO.parse(file, "genbank"))
        circles = [entry.annotations.get("topology") == "circular" for entry in entries]
        assert [row[:2] for row in found] == [(str(e.seq).upper(), c) for e, c in zip(entries, circles, strict=True)]
        n_read += 1
    assert n_read > 20


LOCUS = """LOCUS       AB1                       12 bp    DNA     linear   BCT 01-JAN-2020
ACCESSION   AB1
VERSION     AB1.1
"""
FEATURES = "FEATURES             Location/Qualifiers\n     source          1..12\n"
ORIGIN = "ORIGIN\n        1 acgtacgtac gt\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{LOCUS}{FEATURES}//\n", "GENBANK-001] {path} record 1: the record has no sequence (ORIGIN)."),
        (f"{LOCUS}{FEATURES}ORIGIN\n//\n", "GENBANK-004] {path} record AB1.1: the record has no sequence."),
        (f"{LOCUS}{FEATURES}CONTIG      join(X1.1:1..12)\n//\n", "GENBANK-004"),
        (f"{LOCUS}{FEATURES}{ORIGIN}//\n" * 2, "GENBANK-002] {path} record AB1.1: two records have this id."),
        (f"{LOCUS}{FEATURES}{ORIGIN}//\n{LOCUS.replace('AB1', 'AB2')}{FEATURES}ORIGIN\n//\n", "record AB2.1"),
        (f"{LOCUS}{FEATURES}ORIGIN\n        1 mefilpq\n//\n", "GENBANK-003"),
        ("ID   AB1; SV 1; linear; genomic DNA; STD; PRO; 12 BP.\nXX\nAC   AB1;\n//\n", "GENBANK-00"),
        ("ID   P53_HUMAN Reviewed; 3 AA.\nSQ   SEQUENCE 3 AA;\n     MEF\n//\n", "GENBANK-00"),
    ],
)
def test_a_bad_record_is_one_clear_error(predict, tmp_path, capsys, text, said):
    path = tmp_path / "a.gb"
    path.write_text(text)
    assert predict(path) == 65
    (line,) = capsys.readouterr().err.splitlines()
    assert said.format(path=path) in line
    assert not contents(tmp_path / "o")
