"""How the tests start Snakemake: with the ``genoformer`` of the environment that runs them."""

import os
import sys
from pathlib import Path

SNAKEFILE = Path(__file__).resolve().parents[2] / "workflows" / "Snakefile"
sys.path.insert(0, str(SNAKEFILE.parent / ".test"))


def own_environment(*first: Path) -> dict[str, str]:
    """The environment of this process, in which rules find the commands of these folders and of this interpreter."""
    folders = [*first, Path(sys.executable).parent, os.environ["PATH"]]
    return os.environ | {"PATH": os.pathsep.join(map(str, folders))}
