"""Speed of k-mers and FASTA reading, as JSON; FASTA beside Biopython and pysam as ratios of alternating runs.

Absolute numbers depend on the machine and on what else runs there; the ratio of each pair of runs, of which the median
is given, does so much less.

    python benchmarks/sequence.py [--bases 50000000] [--rounds 5]
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam
from Bio.SeqIO.FastaIO import SimpleFastaParser

from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.kmers import encode_kmers
from genoformer.sequence.records import Record


def seconds(function: Callable[[], object]) -> float:
    """Wall-clock time of one call in seconds."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def kmer_rates(codes: np.ndarray, rounds: int) -> dict[str, float]:
    """Best rate over the rounds in million bases per second, for several k and stride."""
    rates = {}
    for k, stride in ((3, 1), (6, 1), (6, 3), (6, 6), (8, 1)):
        encode_kmers(codes[:1000], k=k, stride=stride)
        best = min(seconds(lambda k=k, stride=stride: encode_kmers(codes, k=k, stride=stride)) for _ in range(rounds))
        rates[f"k{k}_stride{stride}"] = round(len(codes) / best / 1e6, 1)
    return rates


def count_genoformer(path: Path) -> int:
    return sum(len(record) for record in read_fasta(path))


def count_biopython(path: Path) -> int:
    with open(path) as file:
        return sum(len(sequence) for _, sequence in SimpleFastaParser(file))


def count_pysam(path: Path) -> int:
    with pysam.FastxFile(str(path)) as file:
        return sum(len(record.sequence) for record in file)


def fasta_rates(path: Path, rounds: int) -> dict[str, float]:
    """Best rates in MB of file per second, and how many times faster than each peer (median of paired runs)."""
    readers = {"genoformer": count_genoformer, "biopython": count_biopython, "pysam": count_pysam}
    times = {name: [] for name in readers}
    for _ in range(rounds):
        for name, reader in readers.items():
            times[name].append(seconds(lambda reader=reader: reader(path)))
    result = {f"{name}_mb_per_s": round(path.stat().st_size / min(times[name]) / 1e6, 1) for name in readers}
    for peer in ("biopython", "pysam"):
        ratios = [theirs / ours for ours, theirs in zip(times["genoformer"], times[peer], strict=True)]
        result[f"times_faster_than_{peer}"] = round(statistics.median(ratios), 2)
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bases", type=int, default=50_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    codes = np.random.default_rng(0).integers(0, 4, options.bases).astype(np.uint8)
    result = {"bases": options.bases, "kmers_mb_per_s": kmer_rates(codes, options.rounds)}
    with tempfile.TemporaryDirectory() as folder:
        for label, n_records in (("fasta_one_record", 1), ("fasta_records_of_1000_bp", options.bases // 1000)):
            path = Path(folder) / f"{label}.fa"
            write_fasta(
                path, (Record(f"r{i}", part) for i, part in enumerate(np.array_split(codes, max(1, n_records))))
            )
            result[label] = fasta_rates(path, options.rounds)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
