"""Where the CPU seconds of whole predictions go: a phage, a genome, many contigs, a stretch of a eukaryote; one JSON.

    python benchmarks/where.py --phage NC_001416_lambda.gbk.gz --genome GCF_000005845.2_ASM584v2_genomic.fna.gz \
        --eukaryote Populus_trichocarpa_Chr01_11Mb.fa.gz [--contigs 10000] [-o docs/results/where-ecoli.json]

Each command is a process of its own in which functions are timed that stand for a stage; what they call and another
stage owns is that stage's. Seconds are processor time of all threads, so that other users of the machine count little;
start is what the process takes before the model pass and to end. Contigs are drawn from the genome, both strands.
"""

import argparse
import functools
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from predict import draw_contigs, processor

from genoformer.annotation.read import read_records
from genoformer.files import write_json_atomic
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

STAGES = {
    "read": ("inference.reading:Reading.all_records", "applications.genes.request:GeneRequest.scan"),
    "tokens": ("stream:model_inputs", "inference.packing:packed_inputs"),
    "projections": ("nn.layers.linear:Linear.forward", "nn.layers.linear:_product"),
    "attention": ("nn.attention.fused:_Settings.run",),
    "head": ("nn.heads:BaseHead.forward",),
    "rest of the network": ("nn.model:GenomeModel.forward",),
    "decoding looks": (
        "applications.genes.caller:block_candidates", "applications.genes.caller:GeneFinder.statistics",
        "applications.genes.caller:GeneFinder.genes", "applications.genes.caller:GeneFinder.statistics_each",
        "applications.genes.caller:GeneFinder.genes_of_each",
        "applications.introns.caller:decode_record", "applications.introns.follow:learn_counts",
        "applications.introns.caller:IntronGeneFinder.genes",
    ),
    "writing": (
        "inference.passes:ModelPasses._write", "inference.formats:RecordFiles.add", "files.held:Holder.__exit__",
        "inference.run:finish",
    ),
}  # fmt: skip
"""What is timed; a build that lacks a function lacks its stage."""
PASS = "applications.genes.predict:GenePredictor.run_passes"
START, REST = "start", "rest"
MOST_BP = 10_000_000, 1_400_000
"""Of genome and eukaryote, unless told otherwise."""


class Clock:
    """Processor time by stage; a stage that is entered inside another one takes its time from it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys((START, *STAGES, REST), 0.0)
        self._open, self._since, self._base = [], 0.0, START

    def _turn(self) -> None:
        now = time.process_time()
        self.seconds[self._open[-1] if self._open else self._base] += now - self._since
        self._since = now

    def call(self, stage: str, function: Callable, arguments: tuple, named: dict) -> object:
        """Call a function, in a stage."""
        self._turn()
        self._open.append(stage)
        try:
            return function(*arguments, **named)
        finally:
            self._turn()
            self._open.pop()

    def timed(self, stage: str, function: Callable) -> Callable:
        """The same function, in a stage; of a generator each of its steps."""

        @functools.wraps(function)
        def call(*arguments, **named):
            return self.call(stage, function, arguments, named)

        @functools.wraps(function)
        def steps(*arguments, **named):
            made, end = function(*arguments, **named), object()
            while (value := self.call(stage, next, (made, end), {})) is not end:
                yield value

        return steps if inspect.isgeneratorfunction(function) else call

    def begin_pass(self, function: Callable) -> Callable:
        """The same function; from its first call on, what no stage owns is the rest."""

        @functools.wraps(function)
        def call(*arguments, **named):
            self._turn()
            self._base = REST
            return function(*arguments, **named)

        return call

    def finish(self) -> dict[str, float]:
        """Seconds by stage."""
        self._turn()
        return self.seconds


def replace_function(place: str, wrap: Callable[[Callable], Callable]) -> None:
    """Put another function at "module:name" or "module:class.name", where there is one."""
    module, _, path = place.partition(":")
    with suppress(ImportError, AttributeError):
        holder: object = importlib.import_module(f"genoformer.{module}")
        *outer, name = path.split(".")
        for part in outer:
            holder = getattr(holder, part)
        setattr(holder, name, wrap(getattr(holder, name)))


def run_timed(out: Path, arguments: list[str]) -> None:
    """One command in this process, and its seconds by stage as JSON."""
    from genoformer.cli.loading import loading
    from genoformer.cli.main import main

    clock = Clock()
    with loading():
        for stage, places in STAGES.items():
            for place in places:
                replace_function(place, functools.partial(clock.timed, stage))
        replace_function(PASS, clock.begin_pass)
    if main(arguments):
        raise SystemExit(1)
    out.write_text(json.dumps(clock.finish()))


def measure(arguments: list[str], folder: Path) -> dict[str, float]:
    """CPU seconds of one command by stage, and under "all" of the whole process."""
    out = folder / "stages.json"
    child = subprocess.Popen([sys.executable, __file__, "--child", str(out), *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(arguments)} ended with status {status}")
    seconds, total = json.loads(out.read_text()), usage.ru_utime + usage.ru_stime
    seconds[START] += total - sum(seconds.values())  # loading before the clock, and the end of the process
    return {stage: round(value, 2) for stage, value in {**seconds, "all": total}.items()}


def inputs(args: argparse.Namespace) -> dict[str, tuple[list[Record], list[str]]]:
    """Records and options of each command."""
    found: dict[str, tuple[list[Record], list[str]]] = {}
    if args.phage:
        found["phage"] = list(read_records(args.phage)), []
    if args.genome:
        records = list(read_records(args.genome))
        found["genome"] = [replace(one, codes=one.codes[: args.bases or MOST_BP[0]]) for one in records], []
        found["contigs"] = draw_contigs(records, args.contigs), ["--metagenome"]
    if args.eukaryote:
        first = next(iter(read_records(args.eukaryote)))
        part = replace(first, codes=first.codes[: args.bases or MOST_BP[1]])
        found["eukaryote"] = [part], ["--model", "eukaryotes"]
    return {name: value for name, value in found.items() if not args.only or name in args.only}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phage", type=Path)
    parser.add_argument("--genome", type=Path)
    parser.add_argument("--eukaryote", type=Path)
    parser.add_argument("--contigs", type=int, default=10_000)
    parser.add_argument("--bases", type=int, help="read no more of each record of genome and eukaryote")
    parser.add_argument("--only", nargs="+", choices=("phage", "genome", "contigs", "eukaryote"))
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results/where.json"))
    args = parser.parse_args()
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    result: dict = {"machine": {"processor": processor(), "cores": os.cpu_count(), "threads": threads}, "runs": {}}
    with tempfile.TemporaryDirectory() as name:
        for kind, (records, options) in inputs(args).items():
            fasta, folder = Path(name) / f"{kind}.fa", Path(name) / kind
            write_fasta(fasta, records)
            seconds = measure(["predict", str(fasta), "-o", str(folder), *options], Path(name))
            about = {"records": len(records), "bases": sum(map(len, records))}
            result["runs"][kind] = {**about, "cpu_seconds": seconds}
            print(kind, about, seconds, flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out, result)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        run_timed(Path(sys.argv[2]), sys.argv[3:])
    else:
        main()
