"""Tables of what runs in many parts, on many processes or over much sequence."""

from speed_tables import table


def shards_table(results: dict[str, dict]) -> str:
    """Files of merged shards that are those of one run, and CPU seconds."""

    def body():
        for name, r in results.items():
            for row in r["rows"]:
                equal = f"{row['files_equal']} of {r['files']}"
                seconds = (r["whole_s"], row["longest_s"], row["sum_s"], row["merge_s"])
                yield [name, f"{r['n_bases']:,}", r["n_genes"], row["shards"], equal, *seconds]

    return table(
        "| run | bases | genes | shards | files equal | one run, s | longest shard, s | all shards, s | merge, s |",
        body(),
    )


def processes_table(results: dict[str, dict]) -> str:
    """Largest differences between one training process and two."""

    def body():
        for name, r in results.items():
            losses = f"{r['first_loss']:.4f} → {r['last_loss']:.4f}"
            scores = f"{r['validation']:.1e} ({r['n_validation_metrics']} measures)"
            yield [name, r["steps"], losses, f"{r['train_loss']:.1e}", scores]

    return table("| run | steps | training loss | largest difference | largest difference, validation |", body())


def slurm_table(results: dict[str, dict]) -> str:
    """What became of the jobs, and files that are those of a run without Slurm."""

    def body():
        for name, r in results.items():
            states = ", ".join(f"{number} {state.lower()}" for state, number in sorted(r["states"].items()))
            steps = f"{r['training_jobs']}, cancelled at step {r['cancelled_at_step']} of {r['steps']}"
            yield [name, r["slurm"], r["jobs"], states, steps, f"{r['files_equal']} of {r['files']}"]

    return table("| run | Slurm | jobs of sbatch | their end | jobs for training | files equal |", body())


def scale_table(results: dict[str, dict]) -> str:
    """Records, CPU seconds, memory and files; estimates are marked."""

    def body():
        for name, r in results.items():
            for row in r["measured"]:
                yield [name, *_scale_cells(row), "yes" if row["in_order"] else "no"]
            if "estimated" in r:
                yield [f"{name}, estimated", *_scale_cells(r["estimated"]), ""]

    return table("| run | records | bases | CPU seconds | peak memory, MB | files | in order |", body())


def _scale_cells(row: dict) -> list:
    return [f"{row['records']:,}", f"{row['bases']:,}", row["cpu_s"], row.get("peak_mb", "–"), row["files"]]


def context_table(results: dict[str, dict]) -> str:
    """One process, and the larger of two, against what the model predicts for two."""

    def body():
        for result in results.values():
            for row in result["rows"]:
                one, two, model = row["one"], row["two"], row["predicted"]
                pairs = ((two[name], model[name]) for name in ("cpu_s", "memory_mb", "sent_bytes"))
                yield [f"{row['tokens']:,}", one["cpu_s"], one["memory_mb"], *(f"{a} / {b}" for a, b in pairs)]

    header = "| tokens | one process, s | MB | two: s, measured / model | MB, measured / model | bytes sent, same |"
    return table(header, body())
