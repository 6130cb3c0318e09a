"""SIGTERM and SIGINT: stop soon, at a place where nothing is lost."""

import signal
from collections.abc import Callable

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
        forward: Passes the signal on to processes that this one has started, if any.
    """

    def __init__(self) -> None:
        self.signal_number = 0
        self.can_wait = False
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
        if not self.can_wait or is_second:
            self.leave()

    def leave(self) -> None:
        """End the process by the way of an exception, so that temporary files go.

        Raises:
            SystemExit: With 128 + signal number.
        """
        raise SystemExit(128 + self.signal_number)


def outlive_in_worker(worker_id: int) -> None:
    """Let a loading process live on for a while after a signal to the whole group.

    Training needs it for the batch at which it can stop; when nobody ends it after that, the alarm does.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.alarm(WORKER_GRACE_S))
