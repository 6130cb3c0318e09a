"""Values from files against the declared types of a dataclass."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from genoformer.files import MOST_JSON_BYTES, limits
from genoformer.files.held import Holder
from genoformer.files.numbers import read_number, read_numbers
from genoformer.files.sealed import ending
from genoformer.files.typed import check_types


@dataclass(frozen=True)
class Inner:
    n: int


@dataclass(frozen=True)
class Outer:
    n: int = 1
    x: float = 0.5
    yes: bool = True
    word: str | None = "a"
    row: tuple[int, ...] = (1, 2, 3)
    pair: tuple[str, int] = ("a", 1)
    items: list[int] = field(default_factory=lambda: [1, 2])
    table: Mapping[str, Any] = field(default_factory=lambda: {"a": []})
    kind: Literal["a", "b"] = "b"
    inner: Inner = Inner(1)
    anything: Any = object


RIGHT = Outer()
ALSO_RIGHT = {
    "n": [0, -3], "x": [1, -0.5], "yes": [False], "word": [None, ""], "row": [(), (1,)], "pair": [("", 0)],
    "items": [[], [3]], "table": [{}], "kind": ["a"], "anything": [None, 1, "x"],
}  # fmt: skip
WRONG = {
    "n": [True, 1.0, "1", None], "x": [True, "1", None], "yes": [1, 0, None], "word": [1, b"a"],
    "row": [[1, 2], (1, "a"), ("a",), 1], "pair": [("a",), ("a", 1, 1), (1, "a"), ["a", 1]],
    "items": [(1,), ["a"], [1, None], {}], "table": [[], {1: 2}, {"a": 1, 2: 3}, None], "kind": ["c", None, ["a"]],
    "inner": [Inner("x"), {"n": 1}, None, Inner],
}  # fmt: skip


def test_values_of_the_declared_types_pass():
    check_types(RIGHT)
    for name, values in ALSO_RIGHT.items():
        for value in values:
            check_types(replace(RIGHT, **{name: value}))


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_value_of_another_type_is_named(name, value):
    with pytest.raises(TypeError, match="n" if name == "inner" else f"^{name}: .*is of another type"):
        check_types(replace(RIGHT, **{name: value}))


def test_a_long_value_is_cut():
    with pytest.raises(TypeError, match=f"^n: '{'9' * 60}' is"):
        check_types(replace(RIGHT, n="9" * 70))


def test_numbers_are_finite_and_no_truth():
    assert read_number(3) == 3.0 and isinstance(read_number(3), float) and read_number(-0.5) == -0.5
    assert read_numbers({"a": 1, "b": "x"}, ["a"]) == {"a": 1.0}
    for wrong in (True, "1", None, [1]):
        with pytest.raises(TypeError, match="expected a number"):
            read_number(wrong)
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="expected a number"):
            read_number(wrong)


def test_no_archive_with_a_comment_is_sealed():
    with pytest.raises(ValueError, match="without a comment"):
        ending(b"PK\x05\x06" + b"\0" * 16 + b"\1\0")


def test_a_holder_says_what_it_holds():
    with pytest.raises(NotImplementedError):
        Holder().__enter__()


def test_what_a_holder_has_entered_ends_when_entering_fails():
    ended = []

    class Interrupted(Holder):
        def enter(self, stack):
            stack.callback(ended.append, 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Interrupted():
        pytest.fail("entered")
    assert ended == [1]


def test_limits_are_beyond_what_real_files_have():
    genomes_in_a_vcf, letters_of_each = 1_000_000, 8
    assert 1 << 20 < limits.MOST_LINE_BYTES < limits.MOST_WIDE_LINE_BYTES
    assert limits.MOST_WIDE_LINE_BYTES >= genomes_in_a_vcf * letters_of_each
    assert limits.MOST_COMMENT_BYTES > limits.MOST_WIDE_LINE_BYTES and limits.MOST_COLUMNS > genomes_in_a_vcf


def test_what_is_held_at_once_fits_in_half_a_gigabyte():
    held_bytes, members_of_a_manifest, bytes_of_each = 500 * 10**6, 1_000_000, 128
    assert 2 * members_of_a_manifest * bytes_of_each <= MOST_JSON_BYTES < held_bytes
    assert 4 * limits.MOST_WIDE_LINE_BYTES < held_bytes, "as bytes, as text, as cells and as what becomes of them"
