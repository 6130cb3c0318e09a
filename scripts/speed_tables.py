"""Tables of speed, memory and architectures, as lists of Markdown lines; used by result_tables."""

from markdown_table import table

from genoformer.architectures.summary import table as contenders


def spread(value: dict | None) -> str:
    """Median and range."""
    return f"{value['median']} ({value['range'][0]}–{value['range'][1]})" if value else "–"


def place(result: dict) -> str:
    """What was measured on."""
    machine = result["machine"]
    return f"{machine['model']}, {machine['threads']} thread" + "s" * (machine["threads"] > 1)


def speed_table(results: dict[str, dict]) -> str:
    """Ratios to Hugging Face, round by round, and shares of the matrix-product rate."""

    def body():
        for result in results.values():
            for row in result.get("speed", []):
                what = f"{row.get('part', 'encoder')}, {row['pass']}, {row['dtype']}, {row['allocator']} allocator"
                faster, share = row["faster_than_hugging_face"], row["share"]
                shares = (spread(share.get(name)) for name in ("genoformer", "hugging_face"))
                yield [place(result), what, spread(faster["genoformer"]), spread(faster.get("dense")), *shares]

    return table(
        "| machine | what | × Hugging Face | dense × Hugging Face | share of rate | Hugging Face's share |", body()
    )


def lengths_table(results: dict[str, dict]) -> str:
    """How many times as fast as dense attention, with the same mask and without one, and as Hugging Face."""

    def body():
        for result in results.values():
            for row in result.get("lengths", []):
                ratios = (row.get("to_masked"), row["to_dense"], row["faster_than_hugging_face"].get("genoformer"))
                yield [place(result), row["tokens"], row["pass"], *map(spread, ratios)]

    return table("| machine | tokens | pass | × the same mask | × dense | × Hugging Face |", body())


def memory_table(results: dict[str, dict]) -> str:
    """Peak memory of a process above what it held before."""

    def body():
        for result in results.values():
            for row in result.get("memory", []):
                ours, theirs = row["genoformer"], row["hugging_face"]
                first, later = (
                    round(row[f"hugging_face_{when}"] / row[f"genoformer_{when}"], 1)
                    for when in ("seconds", "later_seconds")
                )
                yield [row["tokens"], row["pass"], ours, theirs, f"1/{round(theirs / ours, 1)}", first, later]

    return table(
        "| tokens | pass | kB per token | Hugging Face, kB per token | ratio "
        "| × Hugging Face, one shot | the same, kernels loaded |",
        body(),
    )


def growth_table(results: dict[str, dict]) -> str:
    """Seconds and memory of a forward pass over length, and the fitted exponents."""

    def body():
        for result in results.values():
            growth = result.get("growth", {"rows": []})
            for row in growth["rows"]:
                yield [row["tokens"], row["seconds"], round(row["kb_per_token"] * row["tokens"] / 1000)]
            if growth["rows"]:
                yield ["exponent", growth["time_exponent"], growth["memory_exponent"]]

    return table("| tokens | seconds | memory, MB |", body())


def million_table(results: dict[str, dict]) -> str:
    """One pass over a million tokens."""
    rows = [(place(r), r["million"]) for r in results.values() if "million" in r]
    body = ([name, row["tokens"], row["gigabytes"], row["seconds"]] for name, row in rows)
    return table("| machine | tokens | peak memory, GB | seconds |", body)


def startup_table(results: dict[str, dict]) -> str:
    """Processor time of whole commands beside ``import torch``."""

    def body():
        for result in results.values():
            yield ["python -c 'import torch'", 1, "–", spread(result["torch_seconds"])]
            for row in result["rows"]:
                yield [row["command"], spread(row["ratio"]), row["bound"], spread(row["seconds"])]

    return table("| command | × import torch | goal, at most | CPU seconds |", body())


def where_table(results: dict[str, dict]) -> str:
    """Processor time of whole predictions by stage."""
    runs = [run for result in results.values() for run in result["runs"].values()]
    stages = list(runs[0]["cpu_seconds"]) if runs else ["all"]

    def body():
        for name, result in results.items():
            for kind, run in result["runs"].items():
                seconds = (run["cpu_seconds"][stage] for stage in stages)
                yield [name, kind, run["records"], f"{run['bases']:,}", *seconds]

    return table(f"| build | input | records | bp | {' | '.join(stages)} |", body())


def busy_table(results: dict[str, dict]) -> str:
    """Processor time of predictions beside other processes, over that without them."""

    def body():
        for name, result in results.items():
            for build, found in result["builds"].items():
                seconds = (spread(found[state]["cpu"]) for state in ("quiet", "loaded"))
                where = f"{result['others']} on {result['machine']['cores']}"
                yield [name, build, f"{result['bases']:,}", where, *seconds, spread(found["times_quiet"])]

    header = "| run | build | bp | other processes on cores | CPU seconds without | with them | times as many |"
    return table(header, body())


def training_table(results: dict[str, dict]) -> str:
    """Bases that a processor second of training takes in, in two builds."""

    def body():
        for name, result in results.items():
            for build, found in result["builds"].items():
                seconds, losses = found["cpu_seconds_of_step"], found["validation_loss"]
                yield [
                    name, "this" if build == "this" else "before", " ".join(map(str, seconds)),
                    f"{found['bases_per_cpu_second']:,}", " ".join(map(str, losses)),
                    spread(result.get("times_as_fast")) if build == "this" else "1",
                ]  # fmt: skip

    header = "| run | build | CPU seconds of a step | bases per CPU second | loss of validation | times as fast |"
    return table(header, body())


def formats_table(results: dict[str, dict]) -> str:
    """Processor time and size of each format of genes beside a whole run of pyrodigal."""

    def body():
        for result in results.values():
            peer = sum(result["pyrodigal_seconds"]) / len(result["pyrodigal_seconds"])
            for word, seconds in result["seconds"].items():
                size = result["bytes"].get(word)
                yield [word, seconds, f"{seconds / peer:.2f}", "–" if size is None else f"{size / 1e6:.1f}"]
            for words, ratio in result["times_pyrodigal"].items():
                yield [f"together: {words}", "–", ratio, "–"]

    return table("| format | CPU seconds | × pyrodigal's whole run | MB |", body())


def mean_and_range(values: list[float], digits: int = 2) -> str:
    """Mean, and the range where the values differ."""
    mean, low, high = (f"{value:.{digits}f}" for value in (sum(values) / len(values), min(values), max(values)))
    return mean if low == high else f"{mean} ({low}–{high})"


def distance_table(results: dict[str, dict]) -> str:
    """Accuracy at every distance, and processor time per token in training: mean and range over the seeds."""
    cells = next(iter(results.values()), {"distance": []})["distance"]
    runs: dict[str, list[dict]] = {}
    for cell in cells:
        runs.setdefault(cell["name"], []).append(cell["result"])
    distances = sorted({row["distance_bp"] for found in runs.values() for one in found for row in one["rows"]})

    def of(found: list[dict], distance_bp: int, measure: str) -> list[float]:
        return [row[measure] for one in found for row in one["rows"] if row["distance_bp"] == distance_bp]

    def body():
        for name, found in sorted(runs.items(), key=lambda item: (item[1][0]["reach_bp"] or 10**9, item[0])):
            reach = "all" if found[0]["reach_bp"] is None else found[0]["reach_bp"]
            accuracy = [mean_and_range(of(found, bp, "accuracy")) for bp in distances]
            seconds = mean_and_range(of(found, distances[-1], "microseconds_per_token"), 1)
            yield [name, reach, len(found), *accuracy, seconds]

    columns = "".join(f" {bp} bp |" for bp in distances)
    return table(f"| attention | reach, bp | seeds |{columns} µs per token at the farthest |", body())


def contenders_table(results: dict[str, dict]) -> str:
    """What the four architectures learn in one time, and what they cost."""
    (first, *names), *rows = contenders(next(iter(results.values())))
    return table(f"| {first} | {' | '.join(names)} |", rows)


def segments_table(results: dict[str, dict]) -> str:
    """Transformer-XL beside its equations in plain words of torch, and reading on beside reading anew."""

    def body():
        for result in results.values():
            for part, against in (("layer", "plain"), ("encoder", "plain"), ("evaluation", "context computed anew")):
                found = result.get(part, {})
                passes = {"": found} if part == "evaluation" and found else found
                for name, row in passes.items():
                    if isinstance(row, dict) and "times_as_fast" in row:
                        what = (
                            f"{part}, {name}"
                            if name
                            else f"{part}, {result['evaluation']['tokens_of_context']:,} tokens"
                        )
                        yield [place(result), what, against, spread(row["times_as_fast"])]

    return table("| machine | what | against | times as fast |", body())
