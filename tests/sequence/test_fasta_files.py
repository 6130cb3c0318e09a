"""FASTA files of others, malformed and real ones: read as Biopython and pysam read them, or refused."""

import gzip
import io
import resource
import sys

import pysam
import pytest
from Bio import SeqIO
from children import run_child

from genoformer.errors import DataError, WarningLog
from genoformer.sequence import byte_chunks
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import read_fasta


def triples(records):
    return [(record.id, decode_bases(record.codes), record.description) for record in records]


def biopython_records(path):
    """(id, letters) as Biopython reads the file without BOM, comments and blank start; T for U, N for a gap, and
    without position numbers and a last stop sign."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    lines = raw.decode("utf-8-sig").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(";")).lstrip()
    records = SeqIO.parse(io.StringIO(text, newline=None), "fasta")
    letters = str.maketrans({"U": "T", "-": "N", **dict.fromkeys("0123456789" if b"       61 " in raw else "")})
    return [(record.id, str(record.seq).upper().translate(letters).removesuffix("*")) for record in records]


MALFORMED = (
    "crafted_from_phix174/*.fa*",
    "FormatSpecimens/FASTA/*.fasta",
    "FormatSpecimens/FASTA/*.txt",
    "biopython/Fasta/*",
    "htslib/test/**/*.f[aq]",
    "pyfaidx/*.fa*",
)


def test_every_odd_file_is_read_as_biopython_does_or_refused(data_dir):
    paths = sorted({path for pattern in MALFORMED for path in (data_dir / "malformed").glob(pattern)})
    assert len(paths) > 100
    n_read = 0
    for path in paths:
        try:
            found = [(record.id, decode_bases(record.codes)) for record in read_fasta(path)]
        except DataError as error:
            assert str(path) in error.where and error.fix, path
            assert not path.name.startswith("valid"), error
            continue
        n_read += 1
        assert found == biopython_records(path), path
    assert n_read > 50


EXTRAS = {
    "valid_iupac.fa": ("FASTA-107", 1, "ACGTRYSWKMBDHVNNGAGTTTTATCGCTTCC"),
    "valid_numbered_sequence.fa": ("FASTA-106", 4, "GAGTTTTATCGCTTCCATGACGCAGAAGTTAACACTTTCGG"),
    "valid_trailing_star.fa": ("FASTA-108", 1, "GAGTTTTATCGCTTCCATGACGCAGAAGTTAACACTTTCGG"),
    "bad_all_gaps.fa": ("FASTA-107", 100, "N" * 100),
}


@pytest.mark.parametrize("name", EXTRAS)
@pytest.mark.parametrize("chunk_bytes", [5, 64, 1 << 20])
def test_gap_number_and_stop_sign_are_no_base_and_counted(data_dir, monkeypatch, name, chunk_bytes):
    monkeypatch.setattr(byte_chunks, "CHUNK_BYTES", chunk_bytes)
    code, count, start = EXTRAS[name]
    log = WarningLog()
    (record,) = read_fasta(data_dir / "malformed/crafted_from_phix174" / name, warnings=log)
    assert decode_bases(record.codes).startswith(start)
    assert log.counts[code] == count and "line" in log.examples[code]


@pytest.mark.parametrize("name", ["valid_utf8_bom.fa", "valid_semicolon_comment.fa"])
def test_byte_order_mark_and_comments_hide_no_base_and_are_counted(data_dir, name):
    folder = data_dir / "malformed/crafted_from_phix174"
    phix, log = next(read_fasta(folder / "valid_phix.fa")), WarningLog()
    record = next(read_fasta(folder / name, warnings=log))
    assert len(record) == 700 and record.codes.tolist() == phix.codes[:700].tolist()
    assert sum(log.counts.values()) in (1, 2)


BAD_FILES = {
    "bad_corrupt_crc.fa.gz": "FASTA-010",
    "bad_digits_in_sequence.fa": "FASTA-008",
    "bad_duplicate_ids.fa": "FASTA-007",
    "bad_empty_file.fa": "FASTA-004",
    "bad_empty_id.fa": "FASTA-006",
    "bad_fastq_named_fa.fa": "FASTA-003",
}


@pytest.mark.parametrize(("name", "code"), BAD_FILES.items())
def test_bad_file_is_refused_for_its_own_reason(data_dir, name, code):
    with pytest.raises(DataError, match=code):
        list(read_fasta(data_dir / "malformed/crafted_from_phix174" / name))


def test_file_of_n_only_is_read_with_a_warning(data_dir):
    log = WarningLog()
    assert len(list(read_fasta(data_dir / "malformed/crafted_from_phix174/bad_all_N.fa", warnings=log))) == 1
    assert log.counts == {"FASTA-103": 1}


@pytest.mark.parametrize(
    "name",
    [
        "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.fna.gz",
        "genome_1pct_a_thaliana/A.thaliana.1pct.fa.gz",
        "genome_1pct_c_elegans/C.elegans.1pct.fa.gz",
        "genome_viruses/sars_cov_2_MN908947.fasta.gz",
    ],
)
def test_real_genomes_read_as_biopython_and_pysam_do(data_dir, name):
    found = triples(read_fasta(data_dir / name))
    with gzip.open(data_dir / name, "rt") as file:
        assert [(i, letters) for i, letters, _ in found] == [
            (r.id, str(r.seq).upper()) for r in SeqIO.parse(file, "fasta")
        ]
    with pysam.FastxFile(str(data_dir / name)) as file:
        assert found == [(r.name, r.sequence.upper(), r.comment or "") for r in file]


def read_and_say_growth(path):
    """In a child: the bases of the first record, and by how many KiB reading it raised the peak of the memory."""

    def peak_kib():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)

    before = peak_kib()
    print(len(next(read_fasta(path))), peak_kib() - before)
    return 0


@pytest.mark.slow
def test_memory_for_one_record_is_one_byte_per_base_and_a_little(tmp_path):
    path, said = tmp_path / "big.fa", tmp_path / "said"
    path.write_bytes(b">a\n" + (b"ACGT" * 15 + b"\n") * 1_000_000)
    assert run_child(said, read_and_say_growth, path) == 0
    n_bases, grown_kib = map(int, said.read_text().split())
    assert n_bases == 60_000_000
    assert grown_kib * 1024 < 1.4 * n_bases  # one byte per base, the array's spare room and a few chunks
