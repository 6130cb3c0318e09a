"""How the tests start Snakemake: with the ``genoformer`` of the environment that runs them."""

import os
import sys
from pathlib import Path

SNAKEFILE = Path(__file__).resolve().parents[2] / "workflows" / "Snakefile"
sys.path.insert(0, str(SNAKEFILE.parent / ".test"))


def own_environment() -> dict[str, str]:
    """The environment of this process, in which rules find this interpreter's commands first."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
