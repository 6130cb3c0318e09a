"""Tables of what the tests see: changes of the code that they notice, and lines that they run."""

from markdown_table import table


def mutants_table(results: dict[str, dict]) -> str:
    """Mutants of each room, those that tests noticed, and their share of those that are no equivalents."""

    def body():
        for result in results.values():
            for room, counts in [*result["rooms"].items(), ("all", result["all"])]:
                yield [room, *(counts[name] for name in ("mutants", "killed", "equivalent", "percent"))]

    return table("| room | mutants | killed | equivalent | killed of the others, % |", body())


def coverage_table(results: dict[str, dict]) -> str:
    """Statements of each room, and the share that tests run."""

    def body():
        for result in results.values():
            for room, counts in [*result["rooms"].items(), ("all", result)]:
                yield [room, f"{counts['statements']:,}", counts["percent"]]

    return table("| room | statements | run by tests, % |", body())
