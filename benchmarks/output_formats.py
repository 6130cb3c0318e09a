"""Processor seconds that each word of ``predict --formats`` adds, beside a whole run of pyrodigal; one JSON.

    python benchmarks/output_formats.py GENOME.fa --model prokaryotes [-o docs/results/formats-ecoli.json]

One prediction writes every format, in this process; what is counted is what the writers, and what keeps probabilities
during the model pass, take of all threads. pyrodigal reads the file, trains, finds genes, and writes GFF and proteins.
"""

import argparse
import functools
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrodigal
from predict import processor

from genoformer.applications import APPLICATIONS
from genoformer.applications.genes.kept_tracks import KeptTracks
from genoformer.bundle.header import read_header
from genoformer.cli.main import main as genoformer
from genoformer.files import write_json_atomic
from genoformer.inference.tracks import TrackPass
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import read_fasta

PASS = "model pass"
"""What all formats of probabilities share."""

counting: list[str] = []
"""What is counted at the moment."""


def timed(function: Callable[..., Any], word: str, seconds: Counter[str]) -> Callable[..., Any]:
    """The same function, its processor seconds added under a word, unless another one counts them already."""

    @functools.wraps(function)
    def run(*args: Any, **named: Any) -> Any:
        if counting:
            return function(*args, **named)
        counting.append(word)
        begin = time.process_time()
        try:
            return function(*args, **named)
        finally:
            seconds[word] += time.process_time() - begin
            counting.pop()

    return run


def seconds_by_format(fasta: Path, model: str, out: Path) -> tuple[dict[str, float], dict[str, int]]:
    """Processor seconds and bytes of each format."""
    formats = APPLICATIONS[read_header(model).config.task].formats.load()
    seconds: Counter[str] = Counter()
    for word, row in formats.items():
        writer = row.writer.load()
        for name in ("__enter__", "add", "__exit__"):
            setattr(writer, name, timed(getattr(writer, name), word, seconds))
    keeper = KeptTracks.of

    def counted_keeper(self: KeptTracks, *args: Any) -> Callable[..., None]:
        return timed(keeper(self, *args), PASS, seconds)

    KeptTracks.of = counted_keeper
    TrackPass.flush = timed(TrackPass.flush, PASS, seconds)
    words = ["predict", str(fasta), "--model", model, "-o", str(out), "--formats", ",".join(formats)]
    if genoformer(words):
        raise SystemExit("the prediction failed")
    names = {word: [row.file, *row.beside] for word, row in formats.items()}
    sizes = {w: sum(path.stat().st_size for name in files for path in out.glob(name)) for w, files in names.items()}
    return {word: round(seconds[word], 2) for word in (PASS, *formats)}, sizes


def pyrodigal_seconds(fasta: Path, out: Path) -> float:
    """Processor seconds of a whole run."""
    begin = time.process_time()
    records = [(record.id, decode_bases(record.codes).encode()) for record in read_fasta(fasta)]
    finder = pyrodigal.GeneFinder()
    finder.train(max((bases for _, bases in records), key=len))
    with open(out / "peer.gff", "w") as gff, open(out / "peer.faa", "w") as proteins:
        for name, bases in records:
            found = finder.find_genes(bases)
            found.write_gff(gff, sequence_id=name)
            found.write_translations(proteins, sequence_id=name)
    return round(time.process_time() - begin, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results/formats-ecoli.json"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = pyrodigal_seconds(args.fasta, folder)
        seconds, sizes = seconds_by_format(args.fasta, args.model, folder / "out")
        peer = [before, pyrodigal_seconds(args.fasta, folder)]
    tracks, both = (PASS, "h5", "bigwig"), sum(peer) / 2
    typed = ("genbank", "embl", "parquet")
    others = sum(value for word, value in seconds.items() if word not in (*tracks, *typed, "bedgraph"))
    result = {
        "genome": args.fasta.name, "model": args.model, "n_bases": sum(map(len, read_fasta(args.fasta))),
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "pyrodigal_seconds": peer, "seconds": seconds, "bytes": sizes,
        "times_pyrodigal": {
            "h5 and bigwig": round(sum(seconds[word] for word in tracks) / both, 2),
            "bedgraph": round(seconds["bedgraph"] / both, 2),
            "genbank, embl and parquet": round(sum(seconds[word] for word in typed) / both, 2),
            "all other formats": round(others / both, 2),
        },
    }  # fmt: skip
    write_json_atomic(args.out, result)
    print(result)


if __name__ == "__main__":
    main()
