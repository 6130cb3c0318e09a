"""Gene finding on genomes that nothing was learned from: leave one out, nested; and the model that ships.

For every genome in turn the network is trained on the others. Its decoder is fitted on genomes that its networks had
not seen either: for the genome C, networks trained on A alone read B, and networks trained on B alone read A. C is read
once, at the end. pyrodigal is scored beside it by the same rules. One JSON per genome and seed.

    python benchmarks/leave_one_out.py --genome ecoli=A.gbk --genome haemophilus=B.gbk --genome mycoplasma=C.gbk \
        [--seed 0] [--steps 1000] [--fit=OPTION …] [--only ecoli] [-o docs/results] [--ship FOLDER --ship-steps 3000]

``--ship`` trains on all genomes; the decoder comes from the networks that left one out. Runs under runs/ that are there
are not repeated.
"""

import argparse
import subprocess
import sys
from functools import cache
from pathlib import Path

from gene_finding import genoformer_genes, pyrodigal_genes, read_genome

from genoformer.bundle import Bundle, load_bundle, model_device, save_bundle
from genoformer.decoding.decoder import GeneDecoder
from genoformer.files import write_json_atomic
from genoformer.inference.calibrate import Held, fit_decoder, read_held
from genoformer.inference.gene_calls import GeneFinder
from genoformer.nn.allocator import tune_allocator
from genoformer.splits import Region
from genoformer.store import Store
from genoformer.stream import TilePlan, fastest_precision
from genoformer.training.prepare import find_genomes, prepare_store


class LeaveOneOut:
    """Networks, passes and decoders for a set of genomes, each made when it is first asked for.

    Args:
        genomes: GenBank file of each genome, by name.
        seed: Of training.
        steps: Of each training run.
        fit_options: More options of ``genoformer fit``.
    """

    def __init__(self, genomes: dict[str, str], *, seed: int, steps: int, fit_options: list[str]) -> None:
        self.genomes, self.seed, self.steps, self.fit_options = genomes, seed, steps, fit_options

    def train(self, names: tuple[str, ...], steps: int) -> Path:
        """Bundle of a network trained on these genomes."""
        run = f"loo-{'-'.join(names)}-{self.seed}"
        folder = Path("runs") / run / "model"
        if not (folder / "manifest.json").exists():
            files = f"[{','.join(self.genomes[name] for name in names)}]"
            command = [
                sys.executable, "-m", "genoformer", "fit", "--config", "gene_structure_bacteria", "--name", run,
                "--data.annotation", files, "--trainer.max_steps", str(steps), "--data.samples_per_epoch",
                str(4 * steps), "--seed_everything", str(self.seed), *self.fit_options,
            ]  # fmt: skip
            subprocess.run(command, check=True)
        return folder

    @cache  # noqa: B019  (lives as long as the process)
    def held(self, trained_on: tuple[str, ...], genome: str) -> list[Held]:
        """What the network trained on some genomes reads in another."""
        bundle = load_bundle(self.train(trained_on, self.steps))
        store = self.store(genome)
        regions = [Region(record.index, 0, record.length) for record in store.records]
        return read_held(bundle.model, bundle.tokenizer, tile_plan(bundle), store, regions)

    def store(self, genome: str) -> Store:
        """The prepared genome."""
        path = Path("runs") / f"loo-{genome}.h5"
        prepare_store(path, find_genomes(None, [self.genomes[genome]]))
        return Store(path)

    def others(self, genome: str) -> tuple[str, ...]:
        """All genomes but one."""
        return tuple(name for name in self.genomes if name != genome)

    def decoder(self, names: tuple[str, ...]) -> GeneDecoder:
        """Fitted on each of these genomes as read by a network trained on the rest of them."""
        passes = [self.held(tuple(n for n in names if n != name), name) for name in names]
        return fit_decoder([held for one in passes for held in one])

    def test(self, genome: str) -> dict:
        """Scores on a genome that nothing was learned from, with and without its own statistics."""
        names = self.others(genome)
        bundle = load_bundle(self.train(names, self.steps))
        finder = GeneFinder(bundle, self.decoder(names), tile_plan(bundle))
        path = self.genomes[genome]
        unseen = read_genome(path)
        found, calibrated = genoformer_genes(unseen, finder, True)
        plain, _ = genoformer_genes(unseen, finder, False)
        peer = pyrodigal_genes(unseen, False)
        calls = {"genoformer": found, "genoformer, no statistics": plain, "pyrodigal": peer}
        return {
            "genome": Path(path).name,
            "trained_on": list(names),
            "seed": self.seed,
            "steps": self.steps,
            "genetic_code": unseen.genetic_code,
            "calibration": calibrated,
            "scores": {name: unseen.score(genes) for name, genes in calls.items()},
        }

    def ship(self, folder: Path, steps: int) -> None:
        """A model of all genomes, with the decoder of the networks that left one out."""
        trained = self.train(tuple(self.genomes), steps)
        bundle, card = load_bundle(trained), (trained / "model_card.md").read_text()
        calibration = {**bundle.calibration, "decoder": self.decoder(tuple(self.genomes)).to_dict()}
        save_bundle(folder, model=bundle.model, config=bundle.config, card=card, calibration=calibration)


def tile_plan(bundle: Bundle) -> TilePlan:
    """How the bundle reads sequence on this machine."""
    return TilePlan(
        bundle.config.tile_bp, bundle.config.context_bp, precision=fastest_precision(model_device(bundle.model))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genome", action="append", required=True, help="NAME=FILE, at least three times")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--fit", action="append", default=[], help="one more option of fit, as --fit=--a.b=c")
    parser.add_argument("--train", nargs="*", help="only train these groups of genomes, such as A or A+B")
    parser.add_argument("--only", nargs="*", help="test only these genomes")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--ship", type=Path, help="write the model of all genomes here")
    parser.add_argument("--ship-steps", type=int, default=3000)
    args = parser.parse_args()
    tune_allocator()
    runs = LeaveOneOut(
        dict(item.split("=", 1) for item in args.genome), seed=args.seed, steps=args.steps, fit_options=args.fit
    )
    if args.train is not None:
        for group in args.train:
            runs.train(tuple(group.split("+")), args.steps)
        return
    args.out.mkdir(parents=True, exist_ok=True)
    for genome in runs.genomes if args.only is None else args.only:
        write_json_atomic(args.out / f"loo-{genome}-seed{args.seed}.json", runs.test(genome))
    if args.ship:
        runs.ship(args.ship, args.ship_steps)


if __name__ == "__main__":
    main()
