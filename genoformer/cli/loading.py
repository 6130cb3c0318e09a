"""Loading of what a model needs: hundreds of thousands of objects that live as long as the process."""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SCIPY = "scipy.linalg"


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage while modules are loaded, nor ever after among what was loaded.

    Modules make next to none, and looking for it, last when the process ends, takes a third of the time of a prediction
    of a phage. Only the first block of a process sets its objects apart, as garbage of the time stays, too.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        _load_arrays_without_scipy()
        yield
    finally:
        if gc.get_freeze_count() == 0:
            gc.freeze()
        if was_enabled:
            gc.enable()


def _load_arrays_without_scipy() -> None:
    """Load numba, and let it look for no BLAS, which it does before it loads the first compiled function.

    It finds that in ``scipy.linalg``: a twenty-fifth of the time of a prediction of a phage, and 14 MB. Covariances
    alone are missing then in compiled functions, and no function of ours takes them; products look for it when they
    need it.
    """
    if SCIPY in sys.modules:
        return
    sys.modules[SCIPY] = None  # type: ignore[assignment]  # says that there is none
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules[SCIPY]
