"""One small file per command; heavy imports happen inside the commands."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

PROGRAM = "genoformer"


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, b"genoformer: interrupted: nothing was begun.\n")
    os._exit(128 + number)


if Path(sys.argv[0] if sys.argv else "").name == PROGRAM:
    # Of the program alone: before ``main`` begins, and after it has ended, an interrupt would be a traceback.
    signal.signal(signal.SIGINT, _leave)
