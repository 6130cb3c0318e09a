"""Every odd or broken annotation file: a result or a DataError that names the file, never another exception."""

import os
import re
from pathlib import Path

import pytest

from genoformer.annotation.models import Annotation
from genoformer.annotation.read import read_annotation, read_records
from genoformer.errors import DataError, WarningLog, format_error

# Parameters are made before any fixture: the folder that the fixture `data_dir` gives.
DATA = Path(os.environ.get("GENOFORMER_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
MALFORMED = DATA / "malformed"
FOLDERS = ("FormatSpecimens/GFF3", "biopython/GenBank", "biopython/GFF", "crafted_from_phix174")
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (MALFORMED / folder).glob("*")
    if folder != "crafted_from_phix174" or path.suffix == ".gff3"
)
REFUSED_GFF3 = {"records.gff3", "spec_match.gff3", "tomato_chr4_head.gff3", "only_fasta.gff3"}
BINARY = {"TAIR10.part.gff.bgz.tbi"}


def outcome(path: Path) -> Annotation | DataError:
    try:
        return read_annotation(path, warnings=WarningLog())
    except DataError as error:
        return error


@pytest.mark.data
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_any_file_gives_a_result_or_a_data_error_that_names_it(path):
    result = outcome(path)
    if isinstance(result, DataError):
        assert path.name in result.where and len(format_error(result).splitlines()) <= 5
        if result.code.startswith("GFF3"):
            assert re.search(r" line [1-9]", result.where)


@pytest.mark.data
@pytest.mark.parametrize("path", [p for p in FILES if p.suffix in (".gff3", ".bgz")], ids=lambda path: path.name)
def test_gff3_files_are_accepted_or_refused_as_their_collections_say(path):
    is_bad = path.name in REFUSED_GFF3 or path.name.startswith("bad_")
    assert isinstance(outcome(path), DataError) == is_bad


@pytest.mark.data
@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name == "GenBank"], ids=lambda path: path.name)
def test_genbank_sequences_are_read_or_refused(path):
    try:
        for record in read_records(path):
            assert record.id and len(record) > 0
    except DataError as error:
        assert path.name in error.where


@pytest.mark.data
def test_the_files_are_there(data_dir):
    assert len(FILES) == 20 + 32 + 5 + 10 and BINARY <= {path.name for path in FILES}
