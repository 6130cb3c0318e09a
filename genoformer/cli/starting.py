"""A sign of life on a terminal while everything that training needs is being loaded."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

EVERY_S = 0.5
CLEARED = "\r\x1b[K"


@contextlib.contextmanager
def shown_as_starting(name: str) -> Iterator[None]:
    """Show how long the block has been taking, and remove it at the end; nothing where standard error is a file.

    Args:
        name: What is starting.
    """
    if not sys.stderr.isatty():
        yield
        return
    ended, begin = threading.Event(), time.monotonic()

    def tick() -> None:
        while True:
            _write(f"{CLEARED}genoformer {name}: starting, {time.monotonic() - begin:.0f} s")
            if ended.wait(EVERY_S):
                return

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        _write(CLEARED)


def _write(text: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
