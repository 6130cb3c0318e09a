"""Every odd or broken file that we have, through the commands: read, or refused in one line that names it."""

import pytest

from genoformer.bundle import folder
from genoformer.cli.main import main
from genoformer.files import verify_manifest

FASTA_FOLDERS = ("FASTA", "Fasta", "fastq", "faidx")
FASTA_NAMES = (".fa", ".fna", "only_fasta.gff3")
GENBANK_NAMES = (".gb", ".gbk")
ANNOTATIONS = (".gff3", ".gff", ".gb", ".gbk", ".gbwithparts", ".bgz")
CRAFTED = "crafted_from_phix174"


@pytest.fixture(scope="module")
def malformed(data_dir):
    return data_dir / "malformed"


@pytest.fixture(scope="module")
def files(malformed):
    return sorted(path for path in malformed.rglob("*") if path.is_file())


def once_each(load):
    """The same loader, which loads no model twice."""
    loaded = {}
    return lambda header: loaded.get(header.digest) or loaded.setdefault(header.digest, load(header))


@pytest.fixture
def ends_well(capsys, tmp_path, monkeypatch):
    """``ends_well(path, *argv)`` runs a command: 0, or 65 with one line that names the file; gives the exit code."""
    monkeypatch.setattr(folder, "load_bundle", once_each(folder.load_bundle))
    monkeypatch.chdir(tmp_path)  # where a crash file would be written

    def run(path, *argv):
        code = main([str(argument) for argument in argv])
        lines = capsys.readouterr().err.splitlines()
        errors = [line for line in lines if line.startswith("genoformer: error[")]
        assert code in (0, 65), (path, lines)
        if code == 65:
            assert len(lines) == 1 and str(path) in lines[0], lines
        else:
            assert not errors and all(line.startswith("genoformer: warning[") for line in lines), lines
        return code

    return run


def test_the_files_are_all_there(files):
    assert len(files) >= 200


def test_predict_reads_or_refuses_every_file(files, tiny_bundle, tmp_path, ends_well):
    n_read = 0
    for i, path in enumerate(files):
        out = tmp_path / f"out{i}"
        code = ends_well(path, "predict", path, "--model", tiny_bundle, "-o", out)
        if code == 0:
            verify_manifest(out)
            names = (*FASTA_NAMES, *GENBANK_NAMES)
            assert path.parent.name in FASTA_FOLDERS or any(part in path.name for part in names), path
            n_read += 1
        else:
            assert not out.exists()
            assert not path.name.startswith("valid") or path.name.endswith(".gff3"), path
    assert 80 < n_read < 140


def test_dry_run_skips_bad_records_of_every_file(files, tiny_bundle, tmp_path, ends_well):
    arguments = ("--model", tiny_bundle, "-o", tmp_path / "none", "--dry-run", "--on-bad-record")
    strict, lenient = (
        [ends_well(path, "predict", path, *arguments, word) for path in files] for word in ("error", "skip")
    )
    assert all(b <= a for a, b in zip(strict, lenient, strict=True)) and sum(lenient) < sum(strict)
    assert not (tmp_path / "none").exists()


def test_evaluate_reads_or_refuses_every_annotation(files, tmp_path, ends_well):
    paths = [path for path in files if path.suffix in ANNOTATIONS]
    assert len(paths) > 55
    codes = {path.name: ends_well(path, "evaluate", path, path, "-o", tmp_path / path.name) for path in paths}
    assert {path.name for path in tmp_path.iterdir()} == {name for name, code in codes.items() if code == 0}
    assert all(code == 0 for name, code in codes.items() if name.startswith("valid_"))
    assert all(codes[path.name] == 65 for path in paths if path.parent.name == CRAFTED and path.name.startswith("bad_"))


def test_evaluate_refuses_what_is_no_annotation(files, tmp_path, ends_well):
    paths = [path for path in files if path.suffix in (".fa", ".fasta", ".vcf", ".toml", ".tbi", ".bed", ".nu")]
    assert len(paths) > 90
    codes = {path.name: ends_well(path, "evaluate", path, path) for path in paths}
    # Also a comment, then ">": a GFF3 file without features, which names no sequence that could be judged.
    assert set(codes.values()) == {65}


def test_prepare_reads_or_refuses_every_genbank_file(files, tmp_path, ends_well):
    paths = [path for path in files if path.parent.name == "GenBank"]
    assert len(paths) > 30
    for path in paths:
        store = tmp_path / f"{path.name}.h5"
        assert ends_well(path, "prepare", path, "-o", store) == (0 if store.exists() else 65)


def test_prepare_reads_or_refuses_every_gff3_of_phix(malformed, tmp_path, ends_well):
    fasta, paths = malformed / CRAFTED / "valid_phix.fa", sorted((malformed / CRAFTED).glob("*.gff3"))
    assert len(paths) > 8
    for path in paths:
        store = tmp_path / f"{path.name}.h5"
        code = ends_well(path, "prepare", fasta, "--annotation", path, "-o", store)
        assert code == (0 if store.exists() else 65)
        assert not (path.name.startswith("valid_") and code)
