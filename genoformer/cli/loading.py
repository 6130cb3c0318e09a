"""Loading of what a model needs: hundreds of thousands of objects that live as long as the process."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Look for no garbage while modules are loaded, nor ever after among what was loaded.

    Modules make next to none, and looking for it, last when the process ends, takes a third of the time of a prediction
    of a phage. Only the first block of a process sets its objects apart, as garbage of the time stays, too.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:
            gc.freeze()
        if was_enabled:
            gc.enable()
