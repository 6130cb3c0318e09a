"""Write the tables of the pages in docs/ from the JSON files in docs/results/.

A table stands between ``<!-- table: KIND NAME NAME … -->`` and ``<!-- end -->``; names whose file is not there are left
out. With --check nothing is written and the exit code says whether the pages are up to date.

    python scripts/result_tables.py [--check]
"""

import argparse
import json
import re
from pathlib import Path

from checking_tables import coverage_table, mutants_table
from gene_tables import (
    ablation_table,
    adapt_table,
    calibration_table,
    curve_table,
    fragment_table,
    gene_table,
    glimmer_table,
    group_fragments_table,
    group_seeds_table,
    groups_table,
    leave_one_out_table,
    recoded_table,
    short_genes_table,
)
from intron_tables import intron_confidence_table, intron_decoding_table, intron_table, isoform_table
from markdown_table import table
from reformer_tables import reformer_growth_table, reformer_table
from rna_tables import rna_table
from robustness_tables import attacked_table, robustness_table
from scale_tables import context_table, processes_table, scale_table, shards_table, slurm_table
from speed_tables import (
    busy_table,
    contenders_table,
    distance_table,
    formats_table,
    growth_table,
    lengths_table,
    memory_table,
    million_table,
    segments_table,
    speed_table,
    startup_table,
    training_table,
    where_table,
)
from structure_tables import contact_table, length_table, pair_table, state_table

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = ("results.md", "performance.md", "architectures.md", "reliability.md", "tasks/gene_structure_eukaryote.md")
BLOCK = re.compile(r"(<!-- table: (\w+) ([^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def predict_table(results: dict[str, dict]) -> str:
    """Time and memory of whole processes."""

    def ratio(result: dict, name: str) -> str:
        found = result.get(name)
        return f"{found['median']} ({found['range'][0]}–{found['range'][1]})" if found else "–"

    def listed(result: dict, program: str, name: str) -> str:
        return " ".join(map(str, result.get(program, {}).get(name, ["–"])))

    def body():
        for name, result in results.items():
            peer = result.get("peer", "pyrodigal" if "pyrodigal" in result else "–")
            yield [
                name, listed(result, "genoformer", "seconds"), peer, listed(result, peer, "seconds"),
                *(ratio(result, one) for one in (f"times_{peer}", f"cpu_times_{peer}")),
                *(ratio(result, one) for one in ("times_other_build", "cpu_times_other_build")),
                result["genoformer"]["peak_mb"], result.get("growth", {}).get("exponent", "–"),
            ]  # fmt: skip

    header = (
        "| run | seconds | beside | its seconds | × as long, median (range) | the same, CPU seconds "
        "| × the build of before | the same, CPU seconds | peak memory, MB | growth exponent |"
    )
    return table(header, body())


def decoding_table(results: dict[str, dict]) -> str:
    """Seconds of the steps after the model pass, in each round."""

    def body():
        for name, result in results.items():
            rounds = result["decoding_seconds"]
            steps = [
                " ".join(str(times[step]) for times in rounds) for step in ("candidates", "statistics", "selection")
            ]
            yield [name, result["n_bases"], result["model_pass_seconds"], *steps]

    return table("| run | bases | model pass, s | candidates, s | statistics, s | selection, s |", body())


def resume_table(results: dict[str, dict]) -> str:
    """Interrupted runs that ended with the same weights."""
    body = ([name, r["runs"], r["equal"]] for name, r in results.items())
    return table("| run | interrupted and continued | bitwise equal |", body)


TASK_MEASURES = {
    "multiclass": ("accuracy", "macro_f1", "mcc"),
    "multilabel": ("micro_fmax", "micro_f1", "micro_aupr"),
    "regression": ("r", "r2", "rmse"),
}


def task_table(results: dict[str, dict]) -> str:
    """Scores of a function model and of simple models on the test part, with intervals of 95 %."""

    def body():
        for name, result in results.items():
            for model, scores in result["scores"].items():
                cells = []
                for measure in TASK_MEASURES[result["kind"]]:
                    low, high = scores["intervals"][measure]
                    cells.append(f"{measure} {scores[measure]:.3f} ({low:.3f}–{high:.3f})")
                yield [name, model, *cells, f"{scores['ece']:.3f}" if "ece" in scores else "–"]

    return table("| run | model | score | score | score | ECE |", body())


def mlm_table(results: dict[str, dict]) -> str:
    """Pseudo-bits per base of masked language models and of counting models."""

    def body():
        for name, result in results.items():
            for run_bp, scores in result["runs"].items():
                figures = (f"{scores[key]:.4f}" for key in ("model", "standard_error", "markov", "two_sided"))
                yield [name, run_bp, scores["n_bases"], *figures]

    return table("| run | run length | bases | model | ± | Markov, order 11 | two-sided, 5 + 5 |", body())


KINDS = {
    "robustness": ("robustness-", robustness_table),
    "attacked": ("robustness-", attacked_table),
    "mutants": ("mutants-", mutants_table),
    "coverage": ("coverage-", coverage_table),
    "tasks": ("tasks-", task_table),
    "rna": ("rna-", rna_table),
    "pairs": ("tasks-", pair_table),
    "rnalengths": ("rnalengths-", length_table),
    "states": ("tasks-", state_table),
    "contacts": ("contacts-", contact_table),
    "mlm": ("mlm-", mlm_table),
    "genes": ("genes-", gene_table),
    "calibration": ("genes-", calibration_table),
    "groups": ("prokaryotes-", groups_table),
    "groupseeds": ("prokaryotes-", group_seeds_table),
    "groupshort": ("prokaryotes-", short_genes_table),
    "groupfragments": ("prokaryotes-", group_fragments_table),
    "glimmer": ("glimmer-", glimmer_table),
    "loo": ("loo-", leave_one_out_table),
    "loocalibration": ("loo-", calibration_table),
    "ablation": ("ablation-", ablation_table),
    "adapt": ("adapt-", adapt_table),
    "recoded": ("recoded-", recoded_table),
    "fragments": ("fragments-", fragment_table),
    "curve": ("genes-", curve_table),
    "introns": ("introns-", intron_table),
    "intronconfidence": ("intronconfidence-", intron_confidence_table),
    "isoforms": ("isoforms-", isoform_table),
    "introndecoding": ("introndecoding-", intron_decoding_table),
    "predict": ("predict-", predict_table),
    "decoding": ("decoding-", decoding_table),
    "resume": ("resume-", resume_table),
    "shards": ("shards-", shards_table),
    "processes": ("processes-", processes_table),
    "slurm": ("slurm-", slurm_table),
    "scale": ("scale-", scale_table),
    "context": ("context-", context_table),
    "attention": ("attention-", speed_table),
    "lengths": ("attention-", lengths_table),
    "memory": ("attention-", memory_table),
    "growth": ("attention-", growth_table),
    "encoder": ("encoder-", speed_table),
    "million": ("encoder-", million_table),
    "formats": ("formats-", formats_table),
    "training": ("training-", training_table),
    "startup": ("startup-", startup_table),
    "where": ("where-", where_table),
    "busy": ("busy-", busy_table),
    "architectures": ("architectures-", distance_table),
    "contenders": ("architectures-", contenders_table),
    "segments": ("transformer_xl-", segments_table),
    "reformer": ("reformer-", reformer_table),
    "reformergrowth": ("reformer-", reformer_growth_table),
}


def fill(page: str, folder: Path) -> str:
    """The page with every table made again."""

    def make(match: re.Match) -> str:
        prefix, make_table = KINDS[match[2]]
        files = {name: folder / f"{prefix}{name}.json" for name in match[3].split()}
        results = {name: json.loads(path.read_text()) for name, path in files.items() if path.is_file()}
        return match[1] + make_table(results) + match[4]

    return BLOCK.sub(make, page)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    is_current = True
    for path in (DOCS / name for name in PAGES):
        page = path.read_text(encoding="utf-8")
        filled = fill(page, DOCS / "results")
        is_current &= filled == page
        if not args.check:
            path.write_text(filled, encoding="utf-8")
    return int(args.check and not is_current)


if __name__ == "__main__":
    raise SystemExit(main())
