"""Tables of genes with introns."""

from markdown_table import table

INTRON_LEVELS = ("splice_site", "exon", "chain", "gene")


def intron_table(results: dict[str, dict]) -> str:
    """Scores of genes with introns: mean over the seeds of a program, with the range."""
    scores: dict[tuple[str, str], list[dict]] = {}
    for result in results.values():
        for program, found in result["scores"].items():
            scores.setdefault((result["set"], program), []).append(found)

    def body():
        for (name, program), found in scores.items():
            bases = [run["bases"] for run in found]
            columns = [
                [run["mcc"] for run in bases],
                [run["classes"]["coding"]["f1"] for run in bases if "classes" in run],
            ]
            columns += [[run[level]["f1"] for run in found if level in run] for level in INTRON_LEVELS]
            counts = [run["re_translate"] for run in found if "re_translate" in run]
            translate = [sum(count[key] for count in counts) for key in ("translate", "cds")]
            yield [name, program, *map(_mean_and_range, columns), "{} of {}".format(*translate) if counts else "–"]

    measures = ("coding bases", "splice sites", "exons", "chains", "genes")
    columns = " | ".join(f"{measure} F1" for measure in measures)
    header = f"| set | program | base MCC | {columns} | CDS that translate |"
    return table(header, body())


def _mean_and_range(figures: list[float]) -> str:
    if not figures:
        return "–"
    mean = f"{sum(figures) / len(figures):.3f}"
    return mean if len(figures) == 1 else f"{mean} ({min(figures):.3f}–{max(figures):.3f})"


def intron_confidence_table(results: dict[str, dict]) -> str:
    """How well scores are calibrated, by kind."""

    def body():
        for name, result in results.items():
            for kind, row in result["scores"].items():
                figures = (f"{row[key]:.3f}" for key in ("right", "ece", "brier", "brier_of_share"))
                yield [name, kind, row["n"], *figures]

    return table("| set | kind | predicted | share right | calibration error | Brier | Brier of the share |", body())


def isoform_table(results: dict[str, dict]) -> str:
    """What alternative transcripts find and cost, by number and margin."""

    def body():
        for result in results.values():
            for row in result["scores"]:
                found, several, n = row["isoform"], row["several"], row["isoforms"]
                figures = (f"{found[key]:.3f}" for key in ("precision", "recall", "f1"))
                margin = "–" if n == 1 else row["margin"]
                ratio = f"{found['hits']} of {found['predicted']}"
                two = f"{several['two']} of {several['loci']}"
                yield [result["set"], n, margin, ratio, *figures, f"{row['gene']['f1']:.3f}", two]

    columns = "chains right | precision | recall | F1 | genes F1 | loci with two or more"
    return table(f"| set | isoforms | margin | {columns} |", body())


def intron_decoding_table(results: dict[str, dict]) -> str:
    """Speed of decoding genes with introns in each round."""

    def body():
        for name, result in results.items():
            rounds = (" ".join(map(str, result[key])) for key in ("decoding_seconds", "mb_per_second"))
            yield [name, f"{result['n_bases']:,}", result["model_pass_seconds"], *rounds]

    return table("| run | bases | model pass, s | decoding, s | Mb/s |", body())
