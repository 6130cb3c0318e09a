"""Random windows per second out of a store, checksum on: ``python benchmarks/store.py [--mb 5] [--window 8192]``.

Prints bases and tracks separately, by wall clock and by CPU time; the page cache is warm, as it is in training after
the first epoch. On a busy machine only the CPU time means something.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from genoformer.genomes.store import Store, write_store
from genoformer.sequence.records import Record

GENE_DTYPE = np.dtype([("start", "i8"), ("end", "i8"), ("strand", "i1"), ("masked", "?")])


def windows_per_second(read, starts: list[int], window_bp: int) -> str:
    wall, cpu = time.perf_counter(), time.process_time()
    for start in starts:
        read(0, start, start + window_bp)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return f"{len(starts) / wall:,.0f} (CPU time {len(starts) / cpu:,.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=float, default=5, help="length of the record in Mb")
    parser.add_argument("--window", type=int, default=8192, help="window in bp")
    parser.add_argument("--reads", type=int, default=40_000)
    arguments = parser.parse_args()
    length, rng = int(arguments.mb * 1e6), np.random.default_rng(0)
    record = Record("chr", rng.integers(0, 4, length, dtype=np.uint8))
    tracks = rng.integers(0, 32, (2, length), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.h5"
        write_store(path, [("genome", record, tracks, np.zeros(0, GENE_DTYPE), False, 11)], {})
        store = Store(path)
        starts = rng.integers(0, length - arguments.window, arguments.reads).tolist()
        for name, read in (("bases", store.bases), ("tracks", store.tracks)):
            first = windows_per_second(read, starts, arguments.window)
            second = windows_per_second(read, starts, arguments.window)
            print(f"{name}: {first} then {second} windows of {arguments.window} bp per second")


if __name__ == "__main__":
    main()
