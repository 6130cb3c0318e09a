import pytest

from genoformer.annotation.locations import format_transl_except, join_over_origin, parse_transl_except


def test_parts_that_meet_at_the_origin_become_one():
    assert join_over_origin([(90, 100), (0, 9)], 100) == ((90, 109),)


def test_an_intron_on_either_side_of_the_origin_stays():
    assert join_over_origin([(0, 9), (15, 20), (70, 80), (90, 100)], 100) == ((70, 80), (90, 109), (115, 120))


@pytest.mark.parametrize(
    ("parts", "length_bp"),
    [([(0, 100)], 100), ([(1, 9), (90, 100)], 100), ([(0, 9), (90, 99)], 100), ([(0, 9), (90, 100)], None)],
)
def test_parts_that_do_not_touch_both_ends_are_left_alone(parts, length_bp):
    assert join_over_origin(parts, length_bp) is None


@pytest.mark.parametrize("strand", ["+", "-"])
def test_transl_except_round_trip(strand):
    assert parse_transl_except(format_transl_except(9, 12, "Sec", strand)) == ((9, 12, "Sec"),)


def test_transl_except_of_one_base_and_text_of_another_kind():
    assert parse_transl_except("(pos:1017,aa:TERM)") == ((1016, 1017, "TERM"),)
    assert parse_transl_except("something else") == () == parse_transl_except("(pos:,aa:Sec)")
