"""A small store with random bases and recognisable labels."""

import numpy as np
import pytest

from genoformer.annotation.tracks import GENE_TABLE
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store, write_store
from genoformer.sequence.records import Record

LENGTHS = (900, 60)


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Store:
    """Two records; each label byte is drawn at random, so that a wrong position or strand shows."""
    rng = np.random.default_rng(5)
    sources = [
        ("g", Record(f"c{i}", rng.integers(0, 4, n, dtype=np.uint8)), rng.integers(0, 32, (2, n), dtype=np.uint8),
         np.zeros(0, GENE_TABLE), False, 11)
        for i, n in enumerate(LENGTHS)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("store") / "data.h5"
    write_store(path, sources, {})
    return Store(path)


@pytest.fixture
def regions() -> list[Region]:
    """The first record without its middle, and the whole second one."""
    return [Region(0, 0, 300), Region(0, 450, 900), Region(1, 0, 60)]
