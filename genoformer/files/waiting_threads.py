"""How threads wait for each other: asleep. It must be said before torch is loaded, whose OpenMP library asks once."""

import sys
from collections.abc import MutableMapping

VARIABLES = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Of OpenMP: a thread with nothing to do sleeps. By default it spins, for as long as it takes on a busy machine."""


def let_waiting_threads_sleep(environment: MutableMapping[str, str]) -> bool:
    """Set what the user has not set.

    Args:
        environment: Of this process.

    Returns:
        Whether it comes in time: torch is not loaded yet.
    """
    if "torch" in sys.modules:
        return False
    if "GOMP_SPINCOUNT" not in environment:  # who sets it says how long to spin
        for name, value in VARIABLES.items():
            environment.setdefault(name, value)
    return True
