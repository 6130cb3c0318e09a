"""Time and memory of ``genoformer predict`` beside another program, as whole processes run in turn; one JSON.

    python benchmarks/predict.py GENOME.fa --model prokaryotes [--rounds 3] [-o docs/results/predict.json]
    python benchmarks/predict.py GENOME.fa --contigs 10000 --peer "pyrodigal meta"
    python benchmarks/predict.py POPLAR.fa --model eukaryotes --bases 1400000 --peer augustus --species arabidopsis

Times are wall-clock seconds of the whole process, start-up included, and processor seconds of all its threads; memory
is the peak resident set of the process. With --parts, the first half, quarter … of the genome are predicted, too, and
the growth exponent of time is fitted. With --other FOLDER, the build that is checked out there takes turns as well.
--contigs draws that many pieces of 300 to 3,000 bases from the genome and reads them as a metagenome.
"""

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from genoformer.annotation.read import read_records
from genoformer.files import write_json_atomic
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record

PYRODIGAL = """
import sys, pyrodigal
from Bio import SeqIO
records = [bytes(record.seq) for record in SeqIO.parse(sys.argv[1], "fasta")]
finder = pyrodigal.GeneFinder(meta=sys.argv[3] == "meta")
if not finder.meta:
    finder.train(max(records, key=len))
with open(sys.argv[2], "w") as file:
    for number, record in enumerate(records):
        finder.find_genes(record).write_gff(file, sequence_id=str(number))
"""

GENOFORMER = [sys.executable, "-P", "-m", "genoformer"]
"""-P: of the build that PYTHONPATH names, even where another one lies in the working folder."""
PYRODIGAL_ALONE, PYRODIGAL_META, AUGUSTUS, NOBODY = "pyrodigal", "pyrodigal meta", "augustus", "nobody"
SHORTEST, LONGEST = 300, 3_000


class Run(NamedTuple):
    """What a child process took: wall-clock and processor seconds, peak memory in MB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


def run(command: list[str], build: Path | None = None, folder: Path | None = None) -> Run:
    """Run a command in a folder, of the build that is checked out in another one if it is given."""
    environment = os.environ if build is None else {**os.environ, "PYTHONPATH": str(build)}
    begin = time.perf_counter()
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, cwd=folder
    )  # fmt: skip
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} ended with status {status}")
    return Run(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def processor() -> str:
    """Name of the processor, as far as the system tells."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def predict_command(fasta: Path, model: str, out: Path, *options: str) -> list[str]:
    return [*GENOFORMER, "predict", str(fasta), "--model", model, "-o", str(out), *options]


def peer_command(peer: str, fasta: Path, species: str, out: Path) -> list[str]:
    """The command of another program."""
    if peer == AUGUSTUS:
        return ["augustus", f"--species={species}", "--gff3=on", f"--outfile={out}", str(fasta)]
    mode = "meta" if peer == PYRODIGAL_META else "single"
    return [sys.executable, "-c", PYRODIGAL, str(fasta), str(out), mode]


def draw_contigs(records: list[Record], n: int) -> list[Record]:
    """Contigs of the longest record, of any length from ``SHORTEST`` to ``LONGEST``, every other one turned."""
    codes, random = max(records, key=len).codes, np.random.default_rng(0)
    contigs = []
    for number, length in enumerate(random.integers(SHORTEST, LONGEST + 1, n)):
        start = int(random.integers(0, len(codes) - length))
        part = codes[start : start + length]
        contigs.append(Record(f"contig{number}", part if number % 2 else np.where(part < 4, 3 - part, part)[::-1]))
    return contigs


def prepared(args: argparse.Namespace, folder: Path) -> Path:
    """The input as a plain FASTA file: the whole genome, its first bases, or contigs of it."""
    if args.contigs is None and args.bases is None:
        return args.fasta
    records = list(read_records(args.fasta))
    if args.contigs is not None:
        records = draw_contigs(records, args.contigs)
    else:
        records = [replace(records[0], codes=records[0].codes[: args.bases])]
    write_fasta(folder / "input.fa", records)
    return folder / "input.fa"


def growth(fasta: Path, model: str, folder: Path, parts: int) -> dict:
    """Time of the first 1/2^n of the longest record, and the fitted exponent of time over length."""
    record = max(read_fasta(fasta), key=len)
    lengths, times = [], []
    for part in range(parts):
        length = len(record) >> part
        path = folder / f"part{part}.fa"
        write_fasta(path, [replace(record, codes=record.codes[:length])])
        lengths.append(length)
        times.append(round(run(predict_command(path, model, folder / f"part{part}")).seconds, 2))
    exponent = float(np.polyfit(np.log(lengths), np.log(times), 1)[0])
    return {"lengths_bp": lengths, "seconds": times, "exponent": round(exponent, 3)}


def described(runs: list[Run]) -> dict:
    """What the runs of a program took."""
    seconds = {name: [round(getattr(one, name), 2) for one in runs] for name in ("seconds", "cpu_seconds")}
    return {**seconds, "peak_mb": round(max(one.peak_mb for one in runs))}


def ratios(ours: list[Run], theirs: list[Run], name: str) -> dict:
    """Ratios of runs taken in turn, as median and range."""
    found = [getattr(a, name) / getattr(b, name) for a, b in zip(ours, theirs, strict=True)]
    return {"median": round(statistics.median(found), 3), "range": [round(min(found), 3), round(max(found), 3)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--model", default="prokaryotes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", type=int, default=0, help="fit the growth of time over this many lengths")
    parser.add_argument("--contigs", type=int, help="draw so many contigs of the genome, a metagenome")
    parser.add_argument("--bases", type=int, help="read no more than these of the first record")
    parser.add_argument("--peer", choices=(PYRODIGAL_ALONE, PYRODIGAL_META, AUGUSTUS, NOBODY), default=PYRODIGAL_ALONE)
    parser.add_argument("--species", default="arabidopsis", help="parameters of Augustus")
    parser.add_argument("--other", type=Path, metavar="FOLDER", help="another build, checked out")
    parser.add_argument("--other-model", default="bacteria", help="its model")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results/predict.json"))
    args = parser.parse_args()
    runs: dict[str, list[Run]] = {"genoformer": [], args.peer: [], "other_build": []}
    options = ["--metagenome"] if args.contigs else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fasta = prepared(args, folder)
        result: dict = {
            "genome": args.fasta.name, "model": args.model, "processor": processor(), "cores": os.cpu_count(),
            "peer": args.peer, "contigs": args.contigs, "bases": sum(map(len, read_records(fasta))),
        }  # fmt: skip
        for number in range(args.rounds):
            runs["genoformer"].append(run(predict_command(fasta, args.model, folder / f"out{number}", *options)))
            if args.peer != NOBODY:
                runs[args.peer].append(run(peer_command(args.peer, fasta, args.species, folder / "peer.gff")))
            if args.other:
                command = predict_command(fasta, args.other_model, folder / f"other{number}", *options)
                runs["other_build"].append(run(command, args.other))
            print({program: found[-1] for program, found in runs.items() if found}, flush=True)
        if args.parts:
            result["growth"] = growth(fasta, args.model, folder, args.parts)
    result |= {program: described(found) for program, found in runs.items() if found}
    for program in (args.peer, "other_build"):
        if runs[program]:
            result[f"times_{program}"] = ratios(runs["genoformer"], runs[program], "seconds")
            result[f"cpu_times_{program}"] = ratios(runs["genoformer"], runs[program], "cpu_seconds")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out, result)


if __name__ == "__main__":
    main()
