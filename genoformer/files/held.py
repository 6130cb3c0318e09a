"""Context managers that hold others open between their begin and their end, as writers of files do."""

import sys
from contextlib import ExitStack
from types import TracebackType
from typing import Self


class Holder:
    """A context manager that holds what ``enter`` puts on the stack; all of it ends together, the last one first."""

    _stack: ExitStack

    def __enter__(self) -> Self:
        stack = ExitStack()
        try:
            self.enter(stack)
            self._stack = stack
            return self
        except BaseException:
            stack.__exit__(*sys.exc_info())
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def enter(self, stack: ExitStack) -> None:
        """Enter what is held."""
        raise NotImplementedError
