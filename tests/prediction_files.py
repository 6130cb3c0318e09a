"""What stands in the folder of a prediction."""

ODD_IDS = ("chr1", "gi|1;x=y,z%20&", 'q"(é)', "NC_1.1")


def contents(folder, leave_out=("run.json",)):
    """Bytes of every visible file by name; none where there is no folder."""
    if not folder.exists():
        return {}
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name[0] != "." and p.name not in leave_out}


def hidden(folder):
    return sorted(p.name for p in folder.iterdir() if p.name.startswith("."))


def genes_of(folder):
    return [line.split("\t") for line in (folder / "genes.tsv").read_text().splitlines()[1:]]
