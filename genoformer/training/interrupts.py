"""A signal that asks the process to end, also where code loses the exception that it raises.

Callbacks of numba and HDF5, and ``__del__``, print an exception and go on. Who was interrupted there would run to its
end. So the signal comes again until the exception is on its way up.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator

AGAIN_S = 0.25
MAX_CAUSES = 100


class TerminatedError(BaseException):
    """SIGTERM came; not an ``Exception``, so that only ``finally`` blocks see it on its way up."""


ENDS = (KeyboardInterrupt, SystemExit, TerminatedError)
"""What signals raise."""


class Ending:
    """What is known of the signals that have asked this process to end.

    Attributes:
        number: The first one, 0 before one came.
        n_interrupts: How often SIGINT came.
    """

    def __init__(self) -> None:
        self.number = self.n_interrupts = 0
        self._is_armed = False
        self._raised: Callable[[], BaseException] = KeyboardInterrupt

    @contextlib.contextmanager
    def armed(self) -> Iterator[None]:
        """Exceptions of signals that come inside come again until they have left the block, the outermost one."""
        if self._is_armed:
            yield
            return
        self.number = self.n_interrupts = 0
        self._is_armed = True
        before, say_lost = signal.signal(signal.SIGALRM, self._again), sys.unraisablehook

        def say_others(lost: "sys.UnraisableHookArgs") -> None:
            if not isinstance(lost.exc_value, ENDS):
                say_lost(lost)

        sys.unraisablehook = say_others
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            sys.unraisablehook = say_lost
            self._is_armed = False

    def count(self, number: int) -> None:
        """Note a signal; a third Ctrl-C waits for no cleaning up."""
        self.number = self.number or number
        self.n_interrupts += number == signal.SIGINT
        if self._is_armed and self.n_interrupts > 2:
            os._exit(128 + signal.SIGINT)

    def insist(self, make: Callable[[], BaseException]) -> BaseException:
        """The exception to raise; it is raised again and again until it is on its way up.

        Args:
            make: Makes it.
        """
        self._raised = make
        if self._is_armed:
            signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)
        return make()

    def _again(self, number: int, frame: object) -> None:
        if not is_on_its_way():
            raise self._raised()


ENDING = Ending()
"""Of this process."""


def is_on_its_way() -> bool:
    """Whether the code that runs is cleaning up behind an exception that ends the process."""
    error = sys.exc_info()[1]
    for _ in range(MAX_CAUSES):
        if error is None or isinstance(error, ENDS):
            break
        error = error.__context__
    return error is not None


def receive(number: int, frame: object) -> None:
    """Signal handler: raise in the main thread, so that temporary files are removed on the way out."""
    is_first = ENDING.number == 0
    ENDING.count(number)
    # A second SIGTERM must not interrupt the cleaning up; a second Ctrl-C shall.
    if is_first or number == signal.SIGINT:
        raise ENDING.insist(KeyboardInterrupt if ENDING.number == signal.SIGINT else TerminatedError)
