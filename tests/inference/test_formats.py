"""Words of ``--formats`` and the files they stand for, filled together."""

from functools import partial

import numpy as np
import pytest

from genoformer.applications import APPLICATIONS, result_names
from genoformer.errors import UsageError, WarningLog
from genoformer.files import atomic_path
from genoformer.inference.formats import OutputFormat, RecordFiles, check_formats, default_formats, file_names
from genoformer.inference.parts import Part
from genoformer.inference.text_files import TextWriter
from genoformer.sequence.records import Record


class Words(TextWriter):
    """One line for each record."""

    header = "id\n"

    def __init__(self, path, end=""):
        super().__init__(path)
        self.end = end

    def lines(self, record, found):
        yield f"{record.id} {found}{self.end}\n"


def write_one(path, record, found):
    with atomic_path(path) as temporary:
        temporary.write_text(f"{record.id}={found}")


def refuse():
    raise UsageError("FORMATS-002", "not here.")


FORMATS = {
    "list": OutputFormat("list.txt", "a list", "words", Part(f"{__name__}:Words"), is_default=True),
    "other": OutputFormat("other.txt", "another", "words", Part(f"{__name__}:Words"), beside=("more.txt",)),
    "each": OutputFormat("word-{:04d}.txt", "a file for each", "words", Part(f"{__name__}:write_one")),
    "never": OutputFormat(
        "never.txt", "cannot be written", "words", Part("nowhere:Nothing"), check=Part(f"{__name__}:refuse")
    ),
}


def fill(out, words, found=("x", "y"), makers=None):
    out.mkdir(exist_ok=True)
    with RecordFiles(out, words, FORMATS, makers) as files:
        for i, word in enumerate(found):
            files.add(Record(f"r{i}", np.zeros(3, np.uint8)), word)
    return files.names


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_every_word_has_its_file_and_records_have_theirs(tmp_path):
    names = fill(tmp_path / "o", ("each", "list", "other"))
    assert names == ["list.txt", "other.txt", "word-0001.txt", "word-0002.txt"]
    text = "id\nr0 x\nr1 y\n"
    assert contents(tmp_path / "o") == {
        "list.txt": text, "other.txt": text, "word-0001.txt": "r0=x", "word-0002.txt": "r1=y",
    }  # fmt: skip


class Short(Words):
    """Has no form for long words."""

    def __init__(self, path):
        super().__init__(path)
        self.left_out = WarningLog()

    def lines(self, record, found):
        if len(found) < 2:
            return super().lines(record, found)
        self.left_out.add("OUT-101", f"{found} is long")
        return []


def test_what_a_format_has_no_form_for_is_counted_by_file(tmp_path):
    log = WarningLog()
    log.add("OUT-102", "before")
    with RecordFiles(tmp_path, ("list", "other"), FORMATS, {"other": Short}) as files:
        for word in ("x", "yy", "zzz"):
            files.add(Record("r", np.zeros(3, np.uint8)), word)
    assert files.left_out(log) == {"other.txt": 2}
    assert log.counts == {"OUT-101": 2, "OUT-102": 1} and log.examples["OUT-101"] == "yy is long"
    assert (tmp_path / "list.txt").read_text().count("\n") == 4 and (tmp_path / "other.txt").read_text() == "id\nr x\n"


def test_no_record_gives_files_without_rows(tmp_path):
    assert fill(tmp_path / "o", ("list", "each"), ()) == ["list.txt"]
    assert contents(tmp_path / "o") == {"list.txt": "id\n"}


def test_files_of_records_of_an_earlier_prediction_go_even_when_none_are_asked_for(tmp_path):
    fill(tmp_path / "o", ("each",), "abc")
    (tmp_path / "o/word.md").write_text("mine")
    assert fill(tmp_path / "o", ("list", "each"), "z") == ["list.txt", "word-0001.txt"]
    assert contents(tmp_path / "o") == {"word.md": "mine", "list.txt": "id\nr0 z\n", "word-0001.txt": "r0=z"}
    fill(tmp_path / "o", ("list",))
    assert set(contents(tmp_path / "o")) == {"word.md", "list.txt"}


def test_a_writer_that_knows_more_takes_the_place_of_the_usual_one(tmp_path):
    fill(tmp_path / "o", ("list", "other"), "a", {"list": partial(Words, end="!")})
    assert contents(tmp_path / "o") == {"list.txt": "id\nr0 a!\n", "other.txt": "id\nr0 a\n"}


def test_an_error_leaves_no_whole_file_and_no_trace(tmp_path):
    (tmp_path / "list.txt").write_text("older")
    with pytest.raises(KeyboardInterrupt), RecordFiles(tmp_path, ("list", "other"), FORMATS) as files:
        files.add(Record("r", np.zeros(3, np.uint8)), "x")
        raise KeyboardInterrupt
    assert contents(tmp_path) == {"list.txt": "older"}


def test_a_writer_that_cannot_begin_ends_those_before_it(tmp_path):
    class Broken(Words):
        def __enter__(self):
            raise ValueError("full")

    with pytest.raises(ValueError, match="full"):
        fill(tmp_path / "o", ("list", "other"), makers={"other": Broken})
    assert contents(tmp_path / "o") == {}


def test_words_are_checked_and_each_counts_once():
    assert default_formats(FORMATS) == check_formats(None, FORMATS) == ("list",)
    assert check_formats(["each", "list", "each"], FORMATS) == ("each", "list")
    for words, said in ((["lisst"], '"lisst"'), ([], "known: list, other, each, never"), ([""], '""')):
        with pytest.raises(UsageError, match="FORMATS-001") as caught:
            check_formats(words, FORMATS)
        assert said in str(caught.value)
    with pytest.raises(UsageError, match="FORMATS-002"):
        check_formats(["list", "never"], FORMATS)


def test_names_and_patterns_are_of_all_files():
    assert file_names(FORMATS) == ["list.txt", "other.txt", "more.txt", "word-*.txt", "never.txt"]


@pytest.mark.parametrize("task", [task for task, row in APPLICATIONS.items() if row.formats])
def test_formats_of_every_task_have_writers_names_and_a_default(task):
    formats = APPLICATIONS[task].formats.load()
    assert default_formats(formats)
    for row in formats.values():
        assert callable(row.writer.load()) and row.about
        assert row.check is None or callable(row.check.load())
    assert set(file_names(formats)) <= set(result_names())
    assert APPLICATIONS[task].request.load().known_formats.load() is formats
