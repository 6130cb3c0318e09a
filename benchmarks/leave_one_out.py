"""Gene finding on genomes that nothing was learned from: leave one out, nested; and the model that ships.

For every genome in turn the network is trained on the others. Its decoder is fitted on genomes that its networks had
not seen either: for the genome C, networks trained on A alone read B, and networks trained on B alone read A, each as
it is and in copies recoded to other GC contents. C is read once for each seed, at the end. pyrodigal is scored beside
it by the same rules. One JSON per genome and seed.

    python benchmarks/leave_one_out.py --genome ecoli=A.gbk --genome haemophilus=B.gbk --genome mycoplasma=C.gbk \
        [--seed 0 1 2] [--steps 1000] [--inner-steps 600] [--fit=OPTION …] [--only ecoli] [-o docs/results] \
        [--keep FOLDER] [--ship FOLDER --ship-steps 3000]

The networks that decoders are fitted with have seed 0. ``--keep`` writes each model that left a genome out, with its
decoder, to FOLDER/GENOME-SEED: what other benchmarks may be run with on that genome. ``--ship`` trains on all genomes;
the decoder comes from the networks that left one out. Runs under runs/ that are there are not repeated.
"""

import argparse
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from gene_finding import genoformer_genes, pyrodigal_genes, read_genome

from genoformer.annotation.recode import recode_genome
from genoformer.applications.genes.calibrate import fit_decoder
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.held import Held, read_held
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.decoding.decoder import GeneDecoder
from genoformer.files import write_json_atomic
from genoformer.genomes.prepare import find_genomes, prepare_store
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store, write_store
from genoformer.inference.bundle_parts import tile_plan
from genoformer.inference.interface import Speed
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.records import Record

DECODER_SEED = 0
TILTS = (0.3, 1.2, 2.2)
"""Of the recoded copies that decoders are fitted on: H. influenzae gets .49, .57 and .67 GC."""
COPY_BP = 1_500_000
"""Length of a copy; more would only take longer."""


class LeaveOneOut:
    """Networks, passes and decoders for a set of genomes, each made when it is first asked for.

    Args:
        genomes: GenBank file of each genome, by name.
        steps: Of each training run on more than one genome.
        inner_steps: Of each training run on one genome.
        fit_options: More options of ``genoformer fit``.
    """

    def __init__(self, genomes: dict[str, str], *, steps: int, inner_steps: int, fit_options: list[str]) -> None:
        self.genomes, self.fit_options = genomes, fit_options
        self.steps, self.inner_steps = steps, inner_steps

    def train(self, names: tuple[str, ...], seed: int, steps: int | None = None) -> Path:
        """Bundle of a network trained on these genomes."""
        steps = steps or (self.inner_steps if len(names) == 1 else self.steps)
        run = f"loo-{'-'.join(names)}-{seed}"
        folder = Path("runs") / run / "model"
        if not (folder / "manifest.json").exists():
            files = f"[{','.join(self.genomes[name] for name in names)}]"
            command = [
                sys.executable, "-m", "genoformer", "fit", "--config", "gene_structure_bacteria", "--name", run,
                "--data.annotation", files, "--trainer.max_steps", str(steps), "--data.loader.samples_per_epoch",
                str(4 * steps), "--seed_everything", str(seed), *self.fit_options,
            ]  # fmt: skip
            subprocess.run(command, check=True)
        return folder

    @cache  # noqa: B019  (lives as long as the process)
    def held(self, trained_on: tuple[str, ...], genome: str) -> list[Held]:
        """What the network trained on some genomes reads in another and in its recoded copies."""
        bundle = load_bundle(self.train(trained_on, DECODER_SEED))
        read = []
        for tilt in (None, *TILTS):
            store = self.store(genome) if tilt is None else self.copy(genome, tilt)
            regions = [Region(record.index, 0, record.length) for record in store.records]
            held = read_held(bundle.model, bundle.tokenizer, tile_plan(bundle, Speed()), store, regions)
            read.extend(replace(one, natural=tilt is None) for one in held)
        return read

    def store(self, genome: str) -> Store:
        """The prepared genome."""
        path = Path("runs") / f"loo-{genome}.h5"
        prepare_store(path, find_genomes(None, [self.genomes[genome]]))
        return Store(path)

    def copy(self, genome: str, tilt: float) -> Store:
        """The beginning of the genome's longest record, recoded; the genetic code written is 11."""
        store, path = self.store(genome), Path("runs") / f"loo-{genome}-{tilt}.h5"
        record = max(store.records, key=lambda record: record.length)
        length = min(record.length, COPY_BP)
        codes, tracks = store.bases(record.index, 0, length), store.tracks(record.index, 0, length)
        generator = np.random.default_rng([DECODER_SEED, int(10 * tilt)])
        codes = recode_genome(codes, tracks, record.genetic_code, written=11, tilt=tilt, generator=generator)
        genes = store.genes(record.index)
        name = f"{genome} recoded {tilt}"
        write_store(path, [(name, Record(name, codes), tracks, genes[genes["end"] <= length], False, 11)], {})
        return Store(path)

    def others(self, genome: str) -> tuple[str, ...]:
        """All genomes but one."""
        return tuple(name for name in self.genomes if name != genome)

    @cache  # noqa: B019
    def decoder(self, names: tuple[str, ...]) -> GeneDecoder:
        """Fitted on each of these genomes as read by a network trained on the rest of them."""
        passes = [self.held(tuple(n for n in names if n != name), name) for name in names]
        return fit_decoder([held for one in passes for held in one])

    def test(self, genome: str, seed: int) -> dict:
        """Scores on a genome that nothing was learned from, with and without its own statistics."""
        names = self.others(genome)
        bundle = load_bundle(self.train(names, seed))
        finder = GeneFinder(bundle, self.decoder(names), tile_plan(bundle, Speed()))
        path = self.genomes[genome]
        unseen = read_genome(path)
        found, plain = genoformer_genes(unseen, finder, (True, False))
        calls = {
            "genoformer": found.genes,
            "genoformer, no statistics": plain.genes,
            "pyrodigal": pyrodigal_genes(unseen, False),
        }
        return {
            "genome": Path(path).name,
            "trained_on": list(names),
            "seed": seed,
            "steps": self.steps,
            "genetic_code": unseen.genetic_code,
            "calibration": found.calibration,
            "scores": {name: unseen.score(genes) for name, genes in calls.items()},
        }

    def save(self, folder: Path, names: tuple[str, ...], seed: int, steps: int | None = None) -> None:
        """A model of these genomes, with the decoder of the networks that left one of them out."""
        trained = self.train(names, seed, steps)
        bundle, card = load_bundle(trained), (trained / "model_card.md").read_text()
        calibration = {**bundle.calibration, "decoder": self.decoder(names).to_dict()}
        save_bundle(folder, model=bundle.model, config=bundle.config, card=card, calibration=calibration)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genome", action="append", required=True, help="NAME=FILE, at least three times")
    parser.add_argument("--seed", type=int, nargs="*", default=[0])
    parser.add_argument("--steps", type=int, default=1000, help="of networks of two genomes")
    parser.add_argument("--inner-steps", type=int, default=600, help="of networks of one genome")
    parser.add_argument("--fit", action="append", default=[], help="one more option of fit, as --fit=--a.b=c")
    parser.add_argument("--only", nargs="*", help="test only these genomes")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--keep", type=Path, help="write the models that left a genome out here")
    parser.add_argument("--ship", type=Path, help="write the model of all genomes here")
    parser.add_argument("--ship-steps", type=int, default=3000)
    args = parser.parse_args()
    tune_allocator()
    genomes = dict(item.split("=", 1) for item in args.genome)
    runs = LeaveOneOut(genomes, steps=args.steps, inner_steps=args.inner_steps, fit_options=args.fit)
    args.out.mkdir(parents=True, exist_ok=True)
    for seed in args.seed:
        for genome in genomes if args.only is None else args.only:
            write_json_atomic(args.out / f"loo-{genome}-seed{seed}.json", runs.test(genome, seed))
            if args.keep:
                runs.save(args.keep / f"{genome}-{seed}", runs.others(genome), seed)
    if args.ship:
        runs.save(args.ship, tuple(genomes), args.seed[0], args.ship_steps)


if __name__ == "__main__":
    main()
