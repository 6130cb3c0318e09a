"""Tables of genes of rRNA and tRNA; used by result_tables."""

from markdown_table import table

KINDS = ("rRNA", "rRNA without 23S", "tRNA")
PROGRAMS = ("genoformer", "aragorn", "barrnap")
OF_CELLS = ("bacillota", "pseudomonadota", "actinomycetota", "cyanobacteriota", "bacteroidota", "archaea")
"""Groups of the last rows: what has no ribosome of its own, or one in pieces, is not in their mean."""


def rna_table(results: dict[str, dict]) -> str:
    """Recall and precision by kind and program: each genome, then means of the groups, then theirs.

    rRNA without 23S, which all programs look for, stands in the means alone.
    """

    def body():
        for groups in results.values():
            for group, result in groups.items():
                for name, row in result["genomes"].items():
                    for kind in (kind for kind in ("rRNA", "tRNA") if kind in row["genoformer"]):
                        n = row["genoformer"][kind]["n_reference"]
                        yield [group, name.split(".")[0], kind, n, *_cells(row, kind)]
            for group, result in groups.items():
                for kind in (kind for kind in KINDS if kind in result["mean"].get("genoformer", {})):
                    yield [group, "mean", kind, "", *_cells(result["mean"], kind)]
            for kind in KINDS:
                means = [groups[group]["mean"] for group in OF_CELLS if group in groups]
                yield [f"mean of {len(means)} groups", "", kind, "", *_cells(_mean(means, kind), kind)]

    return table(
        "| group left out | genome | kind | genes | genoformer, recall / precision | ARAGORN | barrnap |", body()
    )


def _cells(row: dict, kind: str) -> list[str]:
    found = [row.get(program, {}).get(kind) for program in PROGRAMS]
    return [f"{one['recall']:.3f} / {one['precision']:.3f}" if one else "" for one in found]


def _mean(rows: list[dict], kind: str) -> dict:
    """Mean of the groups by program."""
    scores: dict[str, dict] = {}
    for program in PROGRAMS:
        own = [row[program][kind] for row in rows if kind in row.get(program, {})]
        if own:
            scores[program] = {
                kind: {name: sum(one[name] for one in own) / len(own) for name in ("recall", "precision")}
            }
    return scores
