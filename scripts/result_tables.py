"""Write the tables of the pages in docs/ from the JSON files in docs/results/.

A table stands between ``<!-- table: KIND NAME NAME … -->`` and ``<!-- end -->``; names whose file is not there are left
out. With --check nothing is written and the exit code says whether the pages are up to date.

    python scripts/result_tables.py [--check]
"""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

from speed_tables import distance_table, growth_table, lengths_table, memory_table, million_table, speed_table
from structure_tables import contact_table, pair_table, state_table

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = ("results.md", "performance.md", "architectures.md")
BLOCK = re.compile(r"(<!-- table: (\w+) ([^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def rows(header: str, body: Iterator[list]) -> str:
    """A Markdown table."""
    n_columns = header.count("|") - 1
    lines = [header, "|" + "---|" * n_columns, *("| " + " | ".join(map(str, cells)) + " |" for cells in body)]
    return "\n".join(lines) + "\n"


def gene_table(results: dict[str, dict]) -> str:
    """Precision, recall and F1 of 3' ends, and exact F1, for each program under both rules."""

    def body():
        for name, result in results.items():
            for program, scores in result["scores"].items():
                for label, key in (("ignored", "genes"), ("nothing ignored", "genes_nothing_ignored")):
                    ends, exact = scores[key]["three_prime"], scores[key]["exact"]
                    figures = (ends["precision"], ends["recall"], ends["f1"], exact["f1"])
                    yield [name, program, label, *(f"{figure:.4f}" for figure in figures)]

    return rows("| run | program | masked genes | 3′ precision | 3′ recall | 3′ F1 | exact F1 |", body())


def leave_one_out_table(results: dict[str, dict]) -> str:
    """F1 of each genome left out, mean over seeds with the range, and what the mean over genomes is."""
    scores: dict[tuple, list[tuple]] = {}
    for result in results.values():
        for program, found in result["scores"].items():
            for label, key in (("ignored", "genes"), ("nothing ignored", "genes_nothing_ignored")):
                figures = (found[key]["three_prime"]["f1"], found[key]["exact"]["f1"])
                for genome in (result["genome"], "mean of the genomes"):
                    scores.setdefault((genome, program, label), []).append(figures)

    def body():
        for (genome, program, label), figures in sorted(scores.items()):
            columns = list(zip(*figures, strict=True))
            cells = [f"{sum(c) / len(c):.4f} ({min(c):.4f}–{max(c):.4f})" for c in columns]
            yield [genome, program, label, *(cells if genome in names else [cell.split(" ")[0] for cell in cells])]

    names = {result["genome"] for result in results.values()}
    return rows("| left out | program | masked genes | 3′ F1, mean (range) | exact F1, mean (range) |", body())


ABLATION_ORDER = ("network", "+ statistics", "+ a second", "+ decoder", "all", "pyrodigal")


def ablation_table(results: dict[str, dict]) -> str:
    """F1 when the parts of the decoder are added one after another."""

    def body():
        for result in results.values():
            for run, found in result["scores"].items():
                for part, scores in sorted(found.items(), key=_place_in_ablation):
                    kinds = [scores[key] for key in ("genes", "genes_nothing_ignored")]
                    yield [run, part, *(f"{s['three_prime']['f1']:.4f} / {s['exact']['f1']:.4f}" for s in kinds)]

    return rows("| network of … to … | decoder | 3′ / exact F1, masked genes ignored | nothing ignored |", body())


def _place_in_ablation(item: tuple[str, dict]) -> int:
    return next(i for i, start in enumerate(ABLATION_ORDER) if item[0].startswith(start))


def intron_table(results: dict[str, dict]) -> str:
    """Scores of genes with introns, program by program."""

    def body():
        for name, result in results.items():
            for program, scores in result.items():
                levels = (scores.get(level) for level in ("splice_site", "exon", "chain"))
                yield [
                    name,
                    program,
                    f"{scores['bases']['mcc']:.3f}",
                    *(f"{s['f1']:.3f}" if s else "–" for s in levels),
                ]

    return rows("| set | program | base MCC | splice sites F1 | exons F1 | chains F1 |", body())


def calibration_table(results: dict[str, dict]) -> str:
    """Expected calibration error and Brier score."""
    names = ("gene_ece", "gene_brier", "start_ece", "start_brier")
    body = (
        [run, r["calibration"]["n_frames"], *(f"{r['calibration'][n]:.4f}" for n in names)]
        for run, r in results.items()
    )
    return rows("| run | frames | gene ECE | gene Brier | start ECE | start Brier |", body)


def predict_table(results: dict[str, dict]) -> str:
    """Time and memory of whole processes."""

    def body():
        for name, result in results.items():
            ratio = result.get("times_pyrodigal")
            peer = result.get("pyrodigal", {"seconds": ["–"], "peak_mb": "–"})
            seconds = " ".join(map(str, result["genoformer"]["seconds"]))
            spread = f"{ratio['median']} ({ratio['range'][0]}–{ratio['range'][1]})" if ratio else "–"
            exponent = result.get("growth", {}).get("exponent", "–")
            peer_seconds = " ".join(map(str, peer["seconds"]))
            yield [name, seconds, peer_seconds, spread, result["genoformer"]["peak_mb"], exponent]

    header = "| run | seconds | pyrodigal, seconds | ratio, median (range) | peak memory, MB | growth exponent |"
    return rows(header, body())


def decoding_table(results: dict[str, dict]) -> str:
    """Seconds of the steps after the model pass, in each round."""

    def body():
        for name, result in results.items():
            rounds = result["decoding_seconds"]
            steps = [
                " ".join(str(times[step]) for times in rounds) for step in ("candidates", "statistics", "selection")
            ]
            yield [name, result["n_bases"], result["model_pass_seconds"], *steps]

    return rows("| run | bases | model pass, s | candidates, s | statistics, s | selection, s |", body())


def resume_table(results: dict[str, dict]) -> str:
    """Interrupted runs that ended with the same weights."""
    body = ([name, r["runs"], r["equal"]] for name, r in results.items())
    return rows("| run | interrupted and continued | bitwise equal |", body)


TASK_MEASURES = {
    "multiclass": ("accuracy", "macro_f1", "mcc"),
    "multilabel": ("micro_f1", "micro_aupr", "macro_aupr"),
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

    return rows("| run | model | score | score | score | ECE |", body())


def mlm_table(results: dict[str, dict]) -> str:
    """Pseudo-bits per base of masked language models and of counting models."""

    def body():
        for name, result in results.items():
            for run_bp, scores in result["runs"].items():
                figures = (f"{scores[key]:.4f}" for key in ("model", "standard_error", "markov", "two_sided"))
                yield [name, run_bp, scores["n_bases"], *figures]

    return rows("| run | run length | bases | model | ± | Markov, order 11 | two-sided, 5 + 5 |", body())


def shards_table(results: dict[str, dict]) -> str:
    """Files of merged shards that are those of one run, and CPU seconds."""

    def body():
        for name, r in results.items():
            for row in r["rows"]:
                equal = f"{row['files_equal']} of {r['files']}"
                seconds = (r["whole_s"], row["longest_s"], row["sum_s"], row["merge_s"])
                yield [name, f"{r['n_bases']:,}", r["n_genes"], row["shards"], equal, *seconds]

    return rows(
        "| run | bases | genes | shards | files equal | one run, s | longest shard, s | all shards, s | merge, s |",
        body(),
    )


def scale_table(results: dict[str, dict]) -> str:
    """Records, CPU seconds, memory and files; estimates are marked."""

    def body():
        for name, r in results.items():
            for row in r["measured"]:
                yield [name, *_scale_cells(row), "yes" if row["in_order"] else "no"]
            if "estimated" in r:
                yield [f"{name}, estimated", *_scale_cells(r["estimated"]), ""]

    return rows("| run | records | bases | CPU seconds | peak memory, MB | files | in order |", body())


def _scale_cells(row: dict) -> list:
    return [f"{row['records']:,}", f"{row['bases']:,}", row["cpu_s"], row["peak_mb"], row["files"]]


def context_table(results: dict[str, dict]) -> str:
    """One process, and the larger of two, against what the model predicts for two."""

    def body():
        for result in results.values():
            for row in result["rows"]:
                one, two, model = row["one"], row["two"], row["predicted"]
                pairs = ((two[name], model[name]) for name in ("cpu_s", "memory_mb", "sent_bytes"))
                yield [f"{row['tokens']:,}", one["cpu_s"], one["memory_mb"], *(f"{a} / {b}" for a, b in pairs)]

    header = "| tokens | one process, s | MB | two: s, measured / model | MB, measured / model | bytes sent, same |"
    return rows(header, body())


KINDS = {
    "tasks": ("tasks-", task_table),
    "pairs": ("tasks-", pair_table),
    "states": ("tasks-", state_table),
    "contacts": ("contacts-", contact_table),
    "mlm": ("mlm-", mlm_table),
    "genes": ("genes-", gene_table),
    "calibration": ("genes-", calibration_table),
    "loo": ("loo-", leave_one_out_table),
    "loocalibration": ("loo-", calibration_table),
    "ablation": ("ablation-", ablation_table),
    "introns": ("introns-", intron_table),
    "predict": ("predict-", predict_table),
    "decoding": ("decoding-", decoding_table),
    "resume": ("resume-", resume_table),
    "shards": ("shards-", shards_table),
    "scale": ("scale-", scale_table),
    "context": ("context-", context_table),
    "attention": ("attention-", speed_table),
    "lengths": ("attention-", lengths_table),
    "memory": ("attention-", memory_table),
    "growth": ("attention-", growth_table),
    "encoder": ("encoder-", speed_table),
    "million": ("encoder-", million_table),
    "architectures": ("architectures-", distance_table),
}


def fill(page: str, folder: Path) -> str:
    """The page with every table made again."""

    def make(match: re.Match) -> str:
        prefix, table = KINDS[match[2]]
        files = {name: folder / f"{prefix}{name}.json" for name in match[3].split()}
        results = {name: json.loads(path.read_text()) for name, path in files.items() if path.is_file()}
        return match[1] + table(results) + match[4]

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
