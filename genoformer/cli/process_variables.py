"""Variables that launchers of several processes set: looked at before Lightning reads them as numbers."""

from collections.abc import Mapping

from genoformer.errors import UsageError
from genoformer.files.numbers import whole_number

PLACES = (
    ("RANK", "WORLD_SIZE"), ("LOCAL_RANK", "LOCAL_WORLD_SIZE"), ("GROUP_RANK", ""), ("NODE_RANK", ""),
    ("SLURM_PROCID", "SLURM_NTASKS"), ("SLURM_LOCALID", ""), ("SLURM_NODEID", ""), ("JSM_NAMESPACE_RANK", ""),
    ("MASTER_PORT", ""),
)  # fmt: skip
"""Number of a process, counted from 0, and of how many: of torchrun, srun and jsrun."""


def check_process_variables(environment: Mapping[str, str]) -> None:
    """Refuse numbers of processes that are none, and one that is not below how many there are.

    Args:
        environment: Of this process.

    Raises:
        UsageError: With the variable.
    """
    for names in PLACES:
        rank, size = (_number(environment, name) for name in names)
        if rank is not None and size is not None and rank >= size:
            message = f"expected a number below {names[1]} = {size}, found {rank}."
            raise UsageError("CONFIG-032", message, where=names[0], fix="Processes are counted from 0.")


def _number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name)
    if text is None:
        return None
    number = whole_number(text)
    if number is None:
        fix = f"Unset it (unset {name}), or start with torchrun or srun, which set it."
        raise UsageError("CONFIG-032", f"expected a whole number, found {text[:40]!r}.", where=name, fix=fix)
    return number
