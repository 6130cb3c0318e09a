"""Which code a configuration may name: classes of the libraries that train, of the kinds that a trainer takes.

A configuration names classes by their paths, and reading it imports their modules: without these checks whoever wrote
the file decides what runs. Three of them stand one behind the other. What is written is looked at before anything is
parsed, so that the message knows the key. The parser imports nothing but ``PACKAGES``, whatever a value came from. And
what was parsed is looked at before anything is made of it: packages hold more than what a trainer takes.
"""

import contextlib
import importlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import jsonargparse
from lightning_fabric.plugins.environments import ClusterEnvironment
from lightning_fabric.plugins.io.checkpoint_io import CheckpointIO
from pytorch_lightning import Callback
from pytorch_lightning.accelerators import Accelerator
from pytorch_lightning.loggers import Logger
from pytorch_lightning.plugins import LayerSync, Precision
from pytorch_lightning.profilers import Profiler
from pytorch_lightning.strategies import Strategy

from genoformer.errors import RefusedError
from genoformer.training.old_keys import CONFIG_SUFFIXES, written_values

ALLOW_CODE = "--allow-code"
"""Counts on the command line alone: a configuration cannot allow itself anything."""

PACKAGES = ("genoformer", "lightning_fabric", "pytorch_lightning", "torch", "torchmetrics")
"""Packages whose classes a configuration may name."""

KINDS = (Accelerator, Callback, CheckpointIO, ClusterEnvironment, LayerSync, Logger, Precision, Profiler, Strategy)
"""What a trainer takes."""

CLASS_KEYS = tuple(
    f"trainer.{key}" for key in ("accelerator", "callbacks", "logger", "plugins", "profiler", "strategy")
)
"""Keys whose value may be the path of a class without ``class_path`` before it."""

_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
PARSED = "configuration"
FOREIGN = "is code of none of torch, pytorch_lightning, torchmetrics and genoformer"
OF_NO_KIND = "is no class that a trainer takes"

_RUNS_WHEN_IMPORTED = ("genoformer.__main__",)
_DENIED = re.compile(r"Importing '(?P<name>[^']+)' is not allowed")
_REFUSED = re.compile(rf"key (?P<key>\S+): (?P<name>\S+) (?P<why>{FOREIGN}|{OF_NO_KIND})")
_PARSER_KEY = re.compile(r'[Kk]ey "(?P<key>[^"]+)"')


def check_written(argv: Sequence[str], config_options: Sequence[str]) -> None:
    """Refuse the first path on a command line or in its configurations to what is no class of ``KINDS``.

    Nothing is imported but ``PACKAGES``. Files that these files name are left to ``only_trusted_imports``.

    Args:
        argv: Arguments with configurations as files.
        config_options: Options whose value is a configuration.

    Raises:
        RefusedError: If there is one.
    """
    for where, name, value in written_values(argv, config_options):
        for key, path in class_paths(value, name):
            if not _is_of_packages(path):
                raise _refusal(path, key, where, FOREIGN)
            found = _found(path)
            if found is not None and not _is_of_kinds(found):
                raise _refusal(path, key, where, OF_NO_KIND)


def class_paths(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Paths of classes in nested settings, each with its key.

    Args:
        value: Settings of ``key``: mappings, sequences, words.
        key: Its full name, as an option has it.

    Example:
        >>> list(class_paths({"trainer": {"logger": "a.B", "callbacks": [{"class_path": "c.D"}]}}))
        [('trainer.logger', 'a.B'), ('trainer.callbacks', 'c.D')]
    """
    for name, leaf in _leaves(value, key.replace("+", "").removesuffix(".help")):
        owner, _, last = name.rpartition(".")
        is_class = last == "class_path" or name in CLASS_KEYS
        if is_class and isinstance(leaf, str) and _PATH.fullmatch(leaf) and not leaf.endswith(CONFIG_SUFFIXES):
            yield owner if last == "class_path" else name, leaf


@contextlib.contextmanager
def only_trusted_imports() -> Iterator[None]:
    """The parser of configurations imports nothing but ``PACKAGES``, whatever it was given the path by."""
    settings: dict = getattr(importlib.import_module("jsonargparse._common"), "parsing_settings", {})
    before = dict(settings)
    jsonargparse.set_parsing_settings(
        import_path_denylist=["*", *_RUNS_WHEN_IMPORTED],
        import_path_allowlist=list(PACKAGES),
        instantiate_subclass_spec_in_any=False,
    )
    try:
        yield
    finally:
        settings.update(before)


def refused_by_parser(message: str) -> RefusedError | None:
    """The refusal that a message of the parser is about; None where it is about something else."""
    outer = _PARSER_KEY.search(message)
    keys = [outer["key"]] if outer else []
    if inner := _REFUSED.search(message):  # by the parser of a class inside a class
        return _refusal(inner["name"], ".".join([*keys, inner["key"]]), PARSED, inner["why"])
    found = _DENIED.search(message)
    if found is None or found["name"].endswith(CONFIG_SUFFIXES):
        return None
    return _refusal(found["name"], "".join(keys), PARSED, FOREIGN)


def check_parsed(config: Any) -> None:
    """Refuse what was parsed and is no class of ``KINDS``, before anything is made of it.

    Args:
        config: Settings that the parser read.

    Raises:
        RefusedError: If there is a class of another kind, a function or a module.
    """
    settings = config.as_dict()
    for key, path in class_paths(settings):
        if not _is_of_packages(path):
            raise _refusal(path, key, PARSED, FOREIGN)
        if not _is_of_kinds(_found(path)):
            raise _refusal(path, key, PARSED, OF_NO_KIND)
    for key, leaf in _leaves(settings):
        is_file = isinstance(leaf, os.PathLike)  # those of the parser can be called
        if isinstance(leaf, (ModuleType, *KINDS)) or (callable(leaf) and not is_file):
            path = f"{getattr(leaf, '__module__', '')}.{getattr(leaf, '__qualname__', leaf)}"
            raise _refusal(path, key, PARSED, OF_NO_KIND)


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Values that hold no others, in the order of the text; an item of a sequence has the key of the sequence.

    Each container is opened once: YAML can name one from many places, and from inside itself.
    """
    seen: set[int] = set()
    rest = [(key, value)]
    while rest:
        name, inner = rest.pop()
        if not isinstance(inner, Mapping | list | tuple | set):
            yield name, inner
        elif id(inner) not in seen:
            seen.add(id(inner))
            pairs = _named(inner, name) if isinstance(inner, Mapping) else [(name, item) for item in inner]
            rest += reversed(pairs)


def _named(mapping: Mapping, prefix: str) -> list[tuple[str, Any]]:
    return [(f"{prefix}.{key}" if prefix else str(key), inner) for key, inner in mapping.items()]


def _is_of_packages(path: str) -> bool:
    package, *names = path.split(".")
    return package in PACKAGES and not any(name.startswith("__") for name in names)


def _found(path: str) -> Any:
    """What stands at a path in ``PACKAGES``; None where there is nothing, which the parser says."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None)
    except Exception:  # a module may need whatever is not installed here
        return None


def _is_of_kinds(found: Any) -> bool:
    is_class = isinstance(found, type) and issubclass(found, KINDS)
    return is_class and _is_of_packages(f"{found.__module__}.{found.__qualname__}")


def _refusal(path: str, key: str, where: str, why: str) -> RefusedError:
    place = f"{where}, key {key}" if key else where
    fix = f"Look where this comes from; {ALLOW_CODE} on the command line lets it run."
    if path.startswith("lightning.pytorch."):
        fix = f"Write {path.replace('lightning.pytorch', 'pytorch_lightning', 1)}, which is what is installed."
    return RefusedError("CONFIG-033", f"{path} {why}, and was not run.", where=place, fix=fix)
