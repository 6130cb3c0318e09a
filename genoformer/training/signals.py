"""SIGTERM and SIGINT: stop soon, at a place where nothing is lost."""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from genoformer.files import LOCK_NAME
from genoformer.training.interrupts import ENDING

SIGNALS = (signal.SIGTERM, signal.SIGINT)
WORKER_GRACE_S = 8
"""Shorter than the ten seconds within which a stopped run has to end."""


class StopRequest:
    """Remembers the first signal that asks the process to stop.

    While ``can_wait`` is set, training goes on to the next place where a checkpoint can be written; else, and at a
    second SIGINT, the process leaves at once. Exit code: 128 + signal number.

    Attributes:
        signal_number: The first signal, 0 before one came.
        can_wait: Set by training between its first and last step, except in validation.
        kept_step: Step of the run's checkpoint; None where there is none.
        forward: Passes the signal on to processes that this one has started, if any.
    """

    def __init__(self) -> None:
        self.signal_number = 0
        self.can_wait = False
        self.kept_step: int | None = None
        self.forward: Callable[[int], None] | None = None

    @property
    def is_made(self) -> bool:
        return self.signal_number != 0

    def install(self) -> None:
        """Receive the signals; only in the main thread."""
        for number in SIGNALS:
            signal.signal(number, self.receive)

    def receive(self, number: int, frame: object) -> None:
        """Signal handler."""
        is_second = self.is_made and number == signal.SIGINT
        if self.forward is not None and not self.is_made:
            self.forward(number)
        self.signal_number = self.signal_number or number
        ENDING.count(number)
        if not self.can_wait or is_second:
            self.leave()

    def leave(self) -> None:
        """End the process by the way of an exception, so that temporary files go.

        Raises:
            SystemExit: With 128 + signal number.
        """
        raise ENDING.insist(self._left)

    def _left(self) -> SystemExit:
        return SystemExit(128 + self.signal_number)


def start_worker(worker_id: int) -> None:
    """Make a loading process independent of signals to the whole group, and of the lock of the run's folder.

    Training needs it for the batch at which it can stop; when nobody ends it after that, the alarm does.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.alarm(WORKER_GRACE_S))
    _close_inherited_locks()


def _close_inherited_locks() -> None:
    # A forked process shares its parent's lock. After a kill -9 of the parent it lives on for some seconds, in which
    # the same command must be able to run again. Only Linux forks here, and only Linux has this folder.
    descriptors = Path("/proc/self/fd")
    for link in list(descriptors.iterdir()) if descriptors.is_dir() else []:
        with contextlib.suppress(OSError):
            if os.readlink(link).endswith(f"/{LOCK_NAME}"):
                os.close(int(link.name))
