"""Every command that writes, on inputs so small that it takes a second or less: what kills and full disks meet."""

import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from genoformer.applications import APPLICATIONS
from robustness_kinds.guard import command
from robustness_kinds.inputs import Inputs

FIT = (
    "fit", "--config", "gene_structure_tiny", "--name", "r", "--trainer.accelerator", "cpu", "--trainer.max_steps", "4",
    "--data.split.validation", "0.3", "--data.loader.samples_per_epoch", "8",
)  # fmt: skip
TASK_INPUTS = {
    "genes": "genome.fa", "introns": "introns.fa", "multiclass": "sequences.fa", "rna_pairs": "rnas.fa",
    "codon_structure": "codons.fa", "contacts": "contacts.fa",
}  # fmt: skip
"""What a bundle of each kind predicts."""
TASKS = {"genes": "gene_structure", "introns": "gene_structure_eukaryote", "multiclass": "function"}
"""Tasks of bundles that are not called by it."""


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        name: Of the row in the table.
        words: What stands behind ``genoformer``; its files go to "o", relative to the current folder.
        before: Commands that make what it reads, or what already lies there.
        slow: It takes several seconds.
    """

    name: str
    words: tuple[object, ...]
    before: tuple[tuple[object, ...], ...] = ()
    slow: bool = False

    def prepare(self) -> None:
        """Run what comes before it, in the current folder; RuntimeError if that fails."""
        for words in self.before:
            run_here(Command(" ".join(map(str, words)), words))


def commands(inputs: Inputs) -> list[Command]:
    """Every command that writes, once; ``predict`` over another result, and ``--adapt``, beside it."""
    genes, folder = inputs.bundle("genes"), inputs.folder
    inputs.genome, inputs.labelled, inputs.introns, inputs.long_genome  # noqa: B018  made here
    predict = ("predict", inputs.genome, "--model", genes, "-o")
    every = "gff3,gtf,tsv,bed,protein,cds,genbank,embl,parquet,h5,bigwig,bedgraph"
    shards = tuple((*predict, "parts", "--shard", f"{i}/2") for i in (1, 2))
    variants = ("variants", inputs.genome, folder / "variants.vcf", "--model", genes, "-o", "o")
    data = ("--data.fasta", inputs.long_genome, "--data.annotation", folder / "long.gff3")
    adapt = ("--annotation", folder / "long.gff3", "--model", genes, "-o", "o", "--steps", "2")
    judged = (*predict, "p")
    annotate = ("annotate", inputs.genome, "--structure", genes, "--function", inputs.bundle("multiclass"))
    return [
        Command("prepare", ("prepare", inputs.genome, "--annotation", folder / "genome.gff3", "-o", "o.h5")),
        Command("fit", (*FIT, *data), slow=True),
        Command("predict", (*predict, "o", "--formats", every)),
        Command("predict over another result", (*predict, "o", "--overwrite", "--no-statistics"), ((*predict, "o"),)),
        Command("predict, pairs", ("predict", folder / "rnas.fa", "--model", inputs.bundle("rna_pairs"), "-o", "o")),
        Command("predict --shard", (*predict, "o", "--shard", "1/2")),
        Command("merge", ("merge", "parts", "-o", "o"), shards),
        Command("annotate", (*annotate, "-o", "o")),
        Command("adapt", ("adapt", inputs.long_genome, *adapt), slow=True),
        Command("embed", ("embed", inputs.genome, "--model", genes, "-o", "o", "--formats", "npz,h5,parquet")),
        Command("explain", explain(inputs, "tsv,png,bigwig")),
        Command("variants", (*variants, "--formats", "vcf,tsv,bgzip")),
        Command("export", ("export", inputs.bundle("exportable"), "-o", "o")),
        Command("import", ("import", "hf", "-o", "o"), (("export", inputs.bundle("exportable"), "-o", "hf"),)),
        Command("simulate", ("simulate", "-o", "o", "--length-bp", "60000", "--contigs", "4")),
        Command("generate", ("generate", inputs.bundle("clm"), "-o", "o.fa", "--length-bp", "300", "-n", "3")),
        Command("evaluate -o", ("evaluate", "p", folder / "genome.gff3", "-o", "o.json"), (judged,)),
        Command("check-leakage -o", ("check-leakage", inputs.genome, inputs.genome, "-o", "o.tsv")),
    ]  # fmt: skip


def explain(inputs: Inputs, words: str) -> tuple[object, ...]:
    """``explain`` with some formats."""
    model = inputs.bundle("multiclass")
    return ("explain", inputs.folder / "few.fa", "--model", model, "--target", "a", "-o", "o", "--formats", words)


def writers(inputs: Inputs) -> Iterator[Command]:
    """A command for each format that a command writes, so that each writer meets a full disk alone."""
    for kind, fasta in TASK_INPUTS.items():
        model = inputs.bundle(kind)
        application = APPLICATIONS[TASKS.get(kind, kind)]
        for word in application.formats.load() if application.formats else ():
            words = ("predict", inputs.folder / fasta, "--model", model, "-o", "o", "--formats", word)
            yield Command(f"predict, {kind}, {word}", words)
    for word in ("tsv", "png", "bigwig"):
        yield Command(f"explain, {word}", explain(inputs, word))


def some(every: Iterable[Command], n: int, seed: int) -> list[Command]:
    """At most ``n`` of them, chosen by a seed, in their order."""
    found = list(every)
    chosen = sorted(random.Random(f"{seed} commands").sample(range(len(found)), min(n, len(found))))
    return [found[i] for i in chosen]


def warm_up(every: Iterable[Command], folder: Path) -> None:
    """Run commands once in this process, so that its children need not load and compile again."""
    back = Path.cwd()
    for number, one in enumerate(every):
        place = folder / str(number)
        place.mkdir(parents=True)
        os.chdir(place)
        try:
            one.prepare()
            run_here(one)
        finally:
            os.chdir(back)


def run_here(one: Command) -> None:
    """Run a command in this process; RuntimeError if it fails."""
    code, said = command(one.words)
    if code:
        raise RuntimeError(f"{one.name} ended with {code}: {said}")
