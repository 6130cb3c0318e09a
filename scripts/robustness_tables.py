"""Tables of what was tried to break, and what broke."""

from markdown_table import table

NAMES = {
    "mutations": "mutated input", "bundles": "hostile bundle", "flips": "flipped bit", "full_disk": "full disk",
    "kills": "killed process", "interrupts": "Ctrl-C",
}  # fmt: skip
COUNTS = ("tried", "failed", "not_reached")


def robustness_table(results: dict[str, dict]) -> str:
    """How often each kind was tried and failed, and how often it did not come to what was planned."""

    def body():
        for result in results.values():
            for kind, rows in result["kinds"].items():
                yield [NAMES[kind], *(f"{sum(row[count] for row in rows.values()):,}" for count in COUNTS)]

    return table("| kind | tried | failed | not reached |", body())


def attacked_table(results: dict[str, dict]) -> str:
    """The same for each format, command or folder; what stands behind a comma is added up."""

    def body():
        for result in results.values():
            for kind, rows in result["kinds"].items():
                for name, counts in _grouped(rows).items():
                    yield [NAMES[kind], name, *(f"{count:,}" for count in counts)]

    return table("| kind | what | tried | failed | not reached |", body())


def _grouped(rows: dict[str, dict]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for name, row in rows.items():
        counts = found.setdefault(name.partition(",")[0], [0] * len(COUNTS))
        for i, count in enumerate(COUNTS):
            counts[i] += row[count]
    return found
