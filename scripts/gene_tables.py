"""Tables of gene finding without introns; used by result_tables."""

from markdown_table import table


def gene_table(results: dict[str, dict]) -> str:
    """Precision, recall and F1 of 3' ends, and exact F1, for each program under both rules."""

    def body():
        for name, result in results.items():
            for program, scores in result["scores"].items():
                for label, key in (("ignored", "genes"), ("nothing ignored", "genes_nothing_ignored")):
                    ends, exact = scores[key]["three_prime"], scores[key]["exact"]
                    figures = (ends["precision"], ends["recall"], ends["f1"], exact["f1"])
                    yield [name, program, label, *(f"{figure:.4f}" for figure in figures)]

    return table("| run | program | masked genes | 3′ precision | 3′ recall | 3′ F1 | exact F1 |", body())


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
    return table("| left out | program | masked genes | 3′ F1, mean (range) | exact F1, mean (range) |", body())


ALL_GROUPS = "all groups"


def groups_table(results: dict[str, dict]) -> str:
    """F1 of genomes whose group was left out, beside pyrodigal's; then means."""

    def body():
        for result in results.values():
            genomes, means = result["genomes"], result["means"]
            for name, row in sorted(genomes.items(), key=lambda item: (item[1]["group"], item[0])):
                yield [row["group"], name.split(".")[0], row["genoformer"]["n_genes"], *_beside(row)]
            for group in sorted(means, key=lambda name: (name == ALL_GROUPS, name)):
                yield [group, "mean", "", *_beside(means[group])]

    return table("| group left out | genome | genes | 3′ F1 | pyrodigal | exact F1 | pyrodigal | difference |", body())


def group_seeds_table(results: dict[str, dict]) -> str:
    """Differences to pyrodigal's F1 by group left out, runs one under another, and the worst genome of each.

    A mean of all groups is shown of runs with all of them.
    """
    most = max(len(result["means"]) for result in results.values())

    def body():
        for group in sorted({*next(iter(results.values()))["means"]}, key=lambda name: (name == ALL_GROUPS, name)):
            for name, result in results.items():
                if group in result["means"] and (group != ALL_GROUPS or len(result["means"]) == most):
                    yield [group, name, _beside(result["means"][group])[-1], _worst(result["genomes"], group)]

    return table("| group left out | run | difference, 3′ / exact F1 | worst genome, exact F1 |", body())


def glimmer_table(results: dict[str, dict]) -> str:
    """F1 of Glimmer and pyrodigal for each group of genomes."""

    def body():
        for result in results.values():
            for group, scores in result["means"].items():
                yield [group, *(f"{scores[p][f]:.4f}" for f in ("f1", "exact_f1") for p in ("glimmer", "pyrodigal"))]

    return table("| group | 3′ F1, Glimmer | pyrodigal | exact F1, Glimmer | pyrodigal |", body())


def _worst(genomes: dict[str, dict], group: str) -> str:
    lost = {
        name: row["genoformer"]["exact_f1"] - row["pyrodigal"]["exact_f1"]
        for name, row in genomes.items()
        if group in (row["group"], ALL_GROUPS)
    }
    worst = min(lost, key=lambda name: lost[name])
    return f"{worst.split('.')[0]} {lost[worst]:+.4f}"


def short_genes_table(results: dict[str, dict]) -> str:
    """Recall of short genes of groups left out, where predictions are as often right as pyrodigal's."""

    def body():
        for result in results.values():
            for group, short in sorted(result["short"].items(), key=lambda item: (item[0] == "all", item[0])):
                figures = (
                    short[f"{who}_{what}"] for who in ("genoformer", "pyrodigal") for what in ("recall", "precision")
                )
                yield [group, short["n_genes"], *(f"{figure:.3f}" for figure in figures)]

    return table("| group left out | genes | recall | precision | recall, pyrodigal | precision, pyrodigal |", body())


def group_fragments_table(results: dict[str, dict]) -> str:
    """F1 of pieces of genomes whose group was left out, means of groups, then theirs."""

    def body():
        for result in results.values():
            rows = result["genomes"]
            groups = sorted(dict.fromkeys(row["group"] for row in rows))
            for number, (piece_bp, means) in enumerate(result["means"].items()):
                for group in groups:
                    own = [row["pieces"][number]["scores"] for row in rows if row["group"] == group]
                    found = {
                        who: {what: _mean_f1(own, who, what) for what in ("three_prime", "exact")} for who in means
                    }
                    yield [f"{int(piece_bp):,}", group, len(own), *_pieces_beside(found)]
                yield [f"{int(piece_bp):,}", "mean of the groups", len(rows), *_pieces_beside(means)]

    columns = "3′ F1 | no statistics | pyrodigal | exact F1 | no statistics | pyrodigal"
    return table(f"| piece, bp | group left out | genomes | {columns} |", body())


def _mean_f1(scores: list[dict], who: str, what: str) -> float:
    return sum(one[who][what]["f1"] for one in scores) / len(scores)


def _pieces_beside(found: dict[str, dict[str, float]]) -> list[str]:
    programs = ("genoformer", "genoformer, no statistics", "pyrodigal")
    return [f"{found[who][what]:.4f}" for what in ("three_prime", "exact") for who in programs]


def _beside(row: dict) -> list[str]:
    ours, theirs = row["genoformer"], row["pyrodigal"]
    f1, exact = ([f"{scores[name]:.4f}" for scores in (ours, theirs)] for name in ("f1", "exact_f1"))
    differences = [f"{ours[name] - theirs[name]:+.4f}" for name in ("f1", "exact_f1")]
    return [*f1, *exact, " / ".join(differences)]


ABLATION_ORDER = ("network", "+ statistics", "+ a second", "+ decoder", "all", "pyrodigal")


def ablation_table(results: dict[str, dict]) -> str:
    """F1 when the parts of the decoder are added one after another."""

    def body():
        for result in results.values():
            for run, found in result["scores"].items():
                for part, scores in sorted(found.items(), key=_place_in_ablation):
                    kinds = [scores[key] for key in ("genes", "genes_nothing_ignored")]
                    yield [run, part, *(f"{s['three_prime']['f1']:.4f} / {s['exact']['f1']:.4f}" for s in kinds)]

    return table("| network of … to … | decoder | 3′ / exact F1, masked genes ignored | nothing ignored |", body())


def _place_in_ablation(item: tuple[str, dict]) -> int:
    return next(i for i, start in enumerate(ABLATION_ORDER) if item[0].startswith(start))


def calibration_table(results: dict[str, dict]) -> str:
    """Expected calibration error and Brier score."""
    names = ("gene_ece", "gene_brier", "start_ece", "start_brier")
    body = (
        [run, r["calibration"]["n_frames"], *(f"{r['calibration'][n]:.4f}" for n in names)]
        for run, r in results.items()
    )
    return table("| run | frames | gene ECE | gene Brier | start ECE | start Brier |", body)


def adapt_table(results: dict[str, dict]) -> str:
    """F1 before and after a model was adapted to the genome."""

    def body():
        for name, result in results.items():
            for side, scores in result["scores"].items():
                kinds = [scores[key] for key in ("genes", "genes_nothing_ignored")]
                cells = (f"{s['three_prime']['f1']:.4f} / {s['exact']['f1']:.4f}" for s in kinds)
                yield [name, result["adaptation"]["steps"], side, *cells]

    return table("| genome | steps | adaptation | 3′ / exact F1, masked genes ignored | nothing ignored |", body())


def recoded_table(results: dict[str, dict]) -> str:
    """F1 on copies of a genome in other compositions and genetic codes."""

    def body():
        for result in results.values():
            for copy in result["copies"]:
                kinds = [copy["scores"].get(program) for program in ("genoformer", "pyrodigal")]
                found = [s["genes"] if s else None for s in kinds]
                cells = (f"{s['three_prime']['f1']:.4f} / {s['exact']['f1']:.4f}" if s else "–" for s in found)
                yield [copy["genetic_code"], "as it is" if copy["tilt"] is None else "recoded", copy["gc"], *cells]

    return table("| genetic code | copy | GC | genoformer, 3′ / exact F1 | pyrodigal |", body())


def fragment_table(results: dict[str, dict]) -> str:
    """F1 on pieces of genomes, and calibration."""

    def body():
        for name, result in results.items():
            for piece in result["pieces"]:
                for program, scores in piece["scores"].items():
                    errors = [piece["calibration"][kind] for kind in ("gene_ece", "start_ece")]
                    shown = [f"{error:.4f}" if program == "genoformer" else "–" for error in errors]
                    f1 = (f"{scores[kind]['f1']:.4f}" for kind in ("three_prime", "exact"))
                    yield [name, f"{piece['piece_bp']:,}", program, *f1, *shown]

    return table("| genome | pieces, bp | program | 3′ F1 | exact F1 | gene ECE | start ECE |", body())


def curve_table(results: dict[str, dict]) -> str:
    """F1 and calibration over the size of the network and the length of training."""

    def body():
        for name, result in results.items():
            kinds = [result["scores"]["genoformer"][key] for key in ("genes", "genes_nothing_ignored")]
            cells = (f"{s['three_prime']['f1']:.4f} / {s['exact']['f1']:.4f}" for s in kinds)
            size, steps = name.split("-")[1:]
            errors = (f"{result['calibration'][kind]:.4f}" for kind in ("gene_ece", "start_ece"))
            yield [size.replace("x", " × "), f"{result['n_parameters']:,}", steps, *cells, *errors]

    f1 = "3′ / exact F1, masked genes ignored | nothing ignored"
    return table(f"| width × layers | parameters | steps | {f1} | gene ECE | start ECE |", body())
