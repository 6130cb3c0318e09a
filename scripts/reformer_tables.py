"""Tables of the Reformer: speed beside others, memory over depth, growth; used by result_tables."""

from markdown_table import table
from speed_tables import spread


def reformer_table(results: dict[str, dict]) -> str:
    """How many times as fast as the peers, round by round."""

    def body():
        for result in results.values():
            for row in result.get("speed", []):
                seconds = (spread(row["processor_seconds"][name]) for name in ("genoformer", row["sizes"]))
                peer = row["peer"].replace("_", " ")
                sizes = "hashing" if row["sizes"] == "reformer_pytorch" else row["sizes"]
                yield [peer, sizes, row["tokens"], row["pass"], spread(row["faster"]), *seconds]

    return table("| peer | sizes | tokens | pass | × the peer | processor seconds | the peer's |", body())


def reformer_growth_table(results: dict[str, dict]) -> str:
    """Memory over depth, and time over length."""

    def body():
        for result in results.values():
            if memory := result.get("memory"):
                few, many = memory["layers"]
                for name in ("activations", "process"):
                    low, high = memory[f"{name}_gigabytes"]
                    what = f"GB of {name} in training, {memory['tokens']} tokens, {few} and {many} layers"
                    yield [what, low, high, f"{memory[f'{name}_ratio']} ×"]
            for name in ("forward", "training step"):
                if growth := result.get("growth", {}).get(name):
                    first, last = result["growth"]["tokens"][0], result["growth"]["tokens"][-1]
                    seconds = growth["seconds"]
                    what = f"processor seconds of a {name}, {first} and {last} tokens"
                    yield [what, seconds[0], seconds[-1], f"exponent {growth['exponent']}"]

    return table("| what | less | more | growth |", body())
