"""Tables of structure models: base pairs, states of codons, contacts."""


def pair_table(results: dict[str, dict]) -> str:
    """Mean scores over RNAs of a model of base pairs and of other methods, with intervals of 95 %."""
    lines = ["| run | method | F1 | precision | recall | F1 above RNAfold | ECE |", "|" + "---|" * 7]
    for name, result in results.items():
        for method, scores in result["scores"].items():
            cells = [_with_interval(scores, measure) for measure in ("f1", "precision", "recall")]
            gain = result["above_rnafold"].get(method)
            gain = _with_interval(gain, "f1", "+") if gain else "–"
            lines.append(_row([name, method, *cells, gain, f"{scores['ece']:.3f}" if "ece" in scores else "–"]))
    return "\n".join(lines) + "\n"


def length_table(results: dict[str, dict]) -> str:
    """F1 of pairs of short and of long RNAs of families that training has not seen, and the gain over RNAfold."""
    lines = ["| run | RNAs | method | F1 | F1, mean over families | F1 above RNAfold |", "|" + "---|" * 6]
    for name, result in results.items():
        for length, scores in result["scores"].items():
            of = f"{length.replace('_', ' ')} nt: {scores['n']} of {scores['n_families']} families"
            for method, f1 in scores["f1"].items():
                gain = scores["above_rnafold"].get(method)
                gain = _with_interval(gain, "f1", "+") if gain else "–"
                lines.append(_row([name, of, method, f"{f1:.3f}", f"{scores['f1_over_families'][method]:.3f}", gain]))
    return "\n".join(lines) + "\n"


def state_table(results: dict[str, dict]) -> str:
    """Accuracy over codons with intervals of 95 % over chains, F1 of each state, calibration."""
    states = next(iter(results.values()), {"states": []})["states"]
    head = ["run", "model", "accuracy", *(f"F1 {state}" for state in states), "MCC", "ECE"]
    lines = [_row(head), "|" + "---|" * len(head)]
    for name, result in results.items():
        for model, scores in result["scores"].items():
            f1 = [f"{scores['per_class'][state]['f1']:.3f}" for state in states]
            figures = [*f1, f"{scores['mcc']:.3f}", f"{scores['ece']:.3f}"]
            lines.append(_row([name, model, _with_interval(scores, "accuracy"), *figures]))
    return "\n".join(lines) + "\n"


CONTACT_COLUMNS = ("all L", "all L/2", "all L/5", "short L/5", "medium L/5", "long L/5")


def contact_table(results: dict[str, dict]) -> str:
    """Precision of the best pairs, mean over chains that were left out, with intervals of 95 % over chains."""
    head = ["run", "model", *CONTACT_COLUMNS, "L/5 above separation", "planted"]
    lines = [_row(head), "|" + "---|" * len(head)]
    for name, result in results.items():
        for model, scores in result["scores"].items():
            cells = [_with_interval(scores, c) if c == "all L/5" else f"{scores[c]:.3f}" for c in CONTACT_COLUMNS]
            last = ["–", "–"]
            if model == "genoformer":
                gain = _with_interval(result["above_separation"], "all L/5", "+")
                last = [gain, f"{result['planted']['recovered']:.3f}"]
            lines.append(_row([name, model, *cells, *last]))
    return "\n".join(lines) + "\n"


def _with_interval(scores: dict, measure: str, sign: str = "") -> str:
    low, high = scores["intervals"][measure]
    return f"{scores[measure]:{sign}.3f} ({low:{sign}.3f}–{high:{sign}.3f})"


def _row(cells: list) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
