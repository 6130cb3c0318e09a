"""A model of base pairs on families that it has not seen, short and long RNAs apart, with and without ViennaRNA.

    genoformer fit --config rna_pairs --data.labels rnas.tsv --data.split.file split.tsv --name families ...
    python benchmarks/rna_lengths.py runs/families docs/results/rnalengths-0.json

Table and split are those of ``rna_families.py``. The weight of the network beside ViennaRNA and those of pairs are
chosen on the validation part, that of pairs with ViennaRNA on RNAs of up to 1,024 bases. Of each family of the test
part, short RNAs and long ones each, at most ``--judged`` are scored, evenly from its list; likewise ``--choosing`` of
the validation part choose. RNAfold is the structure of minimum free energy, from the same ViennaRNA.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from genoformer.applications.functions.baseline import bootstrap
from genoformer.applications.rna_pairs import calibrate
from genoformer.applications.rna_pairs.calibrate import choose_weight, fit_pair_calibration
from genoformer.applications.rna_pairs.caller import PairCaller
from genoformer.applications.rna_pairs.data import PairData
from genoformer.baselines.run_data import read_run_data
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.base_pairs import nested_structure
from genoformer.files import write_json_atomic
from genoformer.labels.tables import LabelledSequence
from genoformer.metrics.pairs import pair_scores
from genoformer.structures.dot_bracket import parse_dot_bracket
from genoformer.structures.folding import fold_probabilities, fold_structure

LONG_BP = 512
CLASSES = {f"to_{LONG_BP}": False, f"above_{LONG_BP}": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--judged", type=int, default=40)
    parser.add_argument("--choosing", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    data, caller = read_run_data(args.run, PairData), PairCaller.from_bundle(load_bundle(args.run / "model"))
    calibrate.CHOOSING = args.choosing
    chosen, test = (some_of(data.parts[part], n) for part, n in (("validation", args.choosing), ("test", args.judged)))
    methods, fitted = choose(caller, chosen)
    rows = []
    for number, rna in enumerate(test, start=1):
        row = {"family": rna.group, "is_long": len(rna.codes) > LONG_BP}
        known, said = parse_dot_bracket(rna.label), caller.probabilities(rna.codes)
        for name, method in methods.items():
            row[name] = pair_scores(method(rna.codes, said), known)["f1"]
        rows.append(row)
        print(f"{number} of {len(test)}: {rna.id}, {len(rna.codes):,} nt", row, flush=True)
    write_json_atomic(args.result, {
        "task": "rna_lengths", "seed": args.seed, "judged": args.judged, "choosing": args.choosing, **fitted,
        "sizes": {part: len(members) for part, members in data.parts.items()},
        "scores": {name: summary(rows, list(methods), is_long, args.seed) for name, is_long in CLASSES.items()},
    })  # fmt: skip


def some_of(rnas: list[LabelledSequence], most: int) -> list[LabelledSequence]:
    """At most so many of each family, short and long RNAs each, evenly from the list."""
    members = defaultdict(list)
    for rna in rnas:
        members[rna.group, len(rna.codes) > LONG_BP].append(rna)
    return [
        group[i] for _, group in sorted(members.items()) for i in
        np.unique(np.linspace(0, len(group) - 1, min(most, len(group))).astype(int)).tolist()
    ]  # fmt: skip


def choose(caller: PairCaller, rnas: list[LabelledSequence]) -> tuple[dict[str, Callable], dict]:
    """From bases and what the network says to partners, for each method, and the weights that these RNAs chose."""
    codes, groups = [rna.codes for rna in rnas], [rna.group for rna in rnas]
    known, said = [parse_dot_bracket(rna.label) for rna in rnas], [caller.probabilities(rna.codes) for rna in rnas]
    alone = fit_pair_calibration(said, known, groups)["gamma"]
    weight = choose_weight(codes, said, known, groups)
    few = [i for i, sequence in enumerate(codes) if len(sequence) <= 2 * LONG_BP]
    found = [fold_probabilities(codes[i], said[i], weight) for i in few]
    together = fit_pair_calibration(found, [known[i] for i in few], [groups[i] for i in few])["gamma"]
    methods = {
        "genoformer": lambda codes, said: nested_structure(said, alone),
        "genoformer_viennarna": lambda codes, said: nested_structure(fold_probabilities(codes, said, weight), together),
        "rnafold": lambda codes, said: fold_structure(codes),
    }
    return methods, {"weight": weight, "gamma": {"genoformer": alone, "genoformer_viennarna": together}}


def summary(rows: list[dict], names: list[str], is_long: bool, seed: int) -> dict:
    """F1 of RNAs of this length: mean over RNAs and over families, by family, and the gain over RNAfold."""
    rows = [row for row in rows if row["is_long"] == is_long]
    families = sorted({row["family"] for row in rows})
    by_family = {
        family: {
            "n": len(members := [row for row in rows if row["family"] == family]),
            **{name: float(np.mean([row[name] for row in members])) for name in names},
        }
        for family in families
    }
    gains = {name: np.array([row[name] - row["rnafold"] for row in rows]) for name in names if name != "rnafold"}
    return {
        "n": len(rows), "n_families": len(families),
        "f1": {name: float(np.mean([row[name] for row in rows])) for name in names},
        "f1_over_families": {name: float(np.mean([by_family[f][name] for f in families])) for name in names},
        "above_rnafold": {
            name: {
                "f1": float(gain.mean()),
                "intervals": bootstrap(lambda chosen, gain=gain: {"f1": float(gain[chosen].mean())}, len(gain), seed),
            }
            for name, gain in gains.items()
        },
        "families": by_family,
    }  # fmt: skip


if __name__ == "__main__":
    main()
