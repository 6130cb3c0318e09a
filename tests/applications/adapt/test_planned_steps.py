"""How long ``adapt`` trains where nobody says it."""

import pytest

from genoformer.applications.adapt.adapt import DEFAULT_STEPS, planned_steps


@pytest.mark.parametrize(("n_bases", "expected"), [(100, 1), (226_167, 46), (2_457_600, 500), (10**9, 500)])
def test_own_calls_of_little_sequence_are_not_learned_by_heart(n_bases, expected):
    assert planned_steps(n_bases, on_own_calls=True) == expected
    assert planned_steps(n_bases, on_own_calls=False) == DEFAULT_STEPS == 500
