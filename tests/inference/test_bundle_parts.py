"""What is fitted to a model: numbers that can be computed with, or one error that names them."""

from types import SimpleNamespace

import pytest

from genoformer.errors import DataError
from genoformer.inference.bundle_parts import read_calibration


def bundle(**fitted):
    return SimpleNamespace(name="m", config=SimpleNamespace(task="function"), calibration={"function": fitted})


def test_a_temperature_divides():
    assert read_calibration(bundle(temperature=0.05), ("temperature",)) == {"temperature": 0.05}
    for wrong in (0, -1.0, 1e-300, float("nan"), "1", None, True):
        with pytest.raises(DataError, match=r'MODEL-003.*"temperature"'):
            read_calibration(bundle(temperature=wrong), ("temperature",))
