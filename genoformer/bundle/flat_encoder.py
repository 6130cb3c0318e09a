"""The encoder of layout 1: settings of any attention stood beside those of the encoder, used or not."""

from collections.abc import Mapping
from typing import Any

FLAT_SETTINGS = {
    "attention": "name",
    "window_radius": "window_radius",
    "dilation": "dilation",
    "attention_dropout": "dropout",
    "backend": "backend",
}
"""Settings of that layout, and their names inside ``attention``."""
OF_WINDOWS = ("window_radius", "dilation")
"""What full attention never looked at."""


def nested_encoder(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an encoder as ``EncoderConfig.from_dict`` reads them.

    Args:
        values: As stored; settings whose ``attention`` is a mapping are returned as they are.

    Raises:
        TypeError: If they are no mapping.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"the settings of the encoder are {values!r}, not an object")
    if isinstance(values.get("attention"), Mapping):
        return dict(values)
    attention = {"name": "longformer"}
    attention |= {new: values[old] for old, new in FLAT_SETTINGS.items() if old in values}
    unused = OF_WINDOWS if attention["name"] == "full" else ()
    rest = {name: value for name, value in values.items() if name not in FLAT_SETTINGS}
    return {**rest, "attention": {name: value for name, value in attention.items() if name not in unused}}
