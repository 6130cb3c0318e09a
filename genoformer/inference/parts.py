"""Things that are loaded when they are asked for."""

import importlib
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

Loaded = TypeVar("Loaded", covariant=True)


@dataclass(frozen=True)
class Part(Generic[Loaded]):
    """A name in a module, loaded on first use: who asks for one part of a task does not wait for the others.

    Attributes:
        where: "module:name".
    """

    where: str

    def load(self) -> Loaded:
        """What stands there."""
        module, _, name = self.where.partition(":")
        return cast(Loaded, getattr(importlib.import_module(module), name))
