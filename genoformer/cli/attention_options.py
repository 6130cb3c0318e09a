"""Options of the mapping ``model.encoder.attention``: jsonargparse would let each of them replace all the others."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genoformer.training.yaml_text import load_yaml

CONFIG_OPTIONS = ("--config", "-c")
ENCODER, ATTENTION = "--model.encoder", "--model.encoder.attention"


def join_attention_options(argv: Sequence[str]) -> list[str]:
    """Give each ``--model.encoder.attention.KEY VALUE`` the other settings of attention that stand in front of it.

    Args:
        argv: Arguments with configurations as files.

    Returns:
        The same with ``--model.encoder.attention MAPPING`` instead of options of single settings.
    """
    words: list[str] = []
    attention: dict[str, Any] = {}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        is_read = option in (*CONFIG_OPTIONS, ENCODER, ATTENTION) or option.startswith(f"{ATTENTION}.")
        if not is_read or not (equals or rest):
            words.append(word)
            continue
        given = [word] if equals else [word, rest.pop(0)]
        attention = _after(option, value if equals else given[1], attention)
        words += [ATTENTION, json.dumps(attention)] if option.startswith(f"{ATTENTION}.") else given
    return words


def _after(option: str, value: str, attention: dict) -> dict:
    """The settings of attention behind an option."""
    if option.startswith(f"{ATTENTION}."):
        return {**attention, option.removeprefix(f"{ATTENTION}."): _read(value)}
    if option == ATTENTION:
        return _as_mapping(_read(value))
    stored = {"model": {"encoder": _read(value)}} if option == ENCODER else _read_file(Path(value))
    for key in ("model", "encoder"):
        stored = stored.get(key) if isinstance(stored, dict) else None
    return _as_mapping(stored.get("attention")) if isinstance(stored, dict) else attention


def _as_mapping(value: Any) -> dict:
    if isinstance(value, dict):
        return value
    return {} if value is None else {"name": value}


def _read(text: str) -> Any:
    """JSON before YAML, which takes 1e-1 for a word. What is neither stays text: the parser says what is wrong."""
    for read in (json.loads, load_yaml):
        with contextlib.suppress(ValueError, RecursionError):
            return read(text)
    return text


def _read_file(path: Path) -> Any:
    try:
        return load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # the parser says what is wrong with it
