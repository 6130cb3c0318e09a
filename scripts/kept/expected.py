"""What two builds may differ in: other names in a bundle's files, expected differences, and what is not compared.

Empty tables say that a build writes what the other one writes.
"""

_CONFIG: dict[str, str | None] = {
    "channels": "labels",
    "encoder.attention": "encoder.attention.name",
    "encoder.window_radius": "encoder.attention.window_radius",
    "encoder.dilation": "encoder.attention.dilation",
    "encoder.attention_dropout": "encoder.attention.dropout",
    "encoder.backend": "encoder.attention.backend",
}
FORMAT_TABLE: dict[str, dict[str, str | None]] = {"*/model/config.json": _CONFIG}
"""Layout of a bundle's files: for a pattern of files, name in OLD → name in NEW. Names are dotted paths in JSON,
numbers in lists included, or names of tensors; an entry stands for all names that begin with it and a dot; None says
that NEW has no such thing. The values must be the same. What only NEW has is a difference, for ``EXPECTED``.

    {"*/model/config.json": {"encoder.window_radius": "encoder.attention.window_radius", "encoder.backend": None},
     "*/model/model.safetensors": {"encoder.layers": "encoder.blocks"}}
"""

EXPECTED: dict[str, str] = {}
"""Differences that are meant: a regular expression for the whole printed line, and the reason, which is printed beside
it.

    {r"outputs/.*/model/config.json: format_version: 1 → 2": "bundles have a layout of their own from 0.2 on"}
"""

LEFT_OUT: dict[str, str] = {
    "outputs/*/checkpoints/*.ckpt": "what an interrupted run continues from, as the build that wrote it wants it; the "
    "weights are compared as model.safetensors",
    "outputs/*/runs/*/config.yaml": "configuration keys may have other names; what they do is compared as the model",
    "outputs/*/runs/*/run.json": "digests over configuration keys",
    "outputs/*/run.json: key.version": "version of genoformer",
    "outputs/*/shard.json: key.version": "version of genoformer",
    "outputs/*/summary.json: version": "version of genoformer",
    "lines/version.stdout": "version of genoformer",
}
"""Files, or places in them after a colon, whose contents are not compared, and why; that they are there is."""

WITH_PATHS = ("lines/*", "outputs/*/run.json", "outputs/*/shard.json")
"""Files that may name absolute paths: those of the folder, of the package and of Python are replaced by words."""

NAMES_ONLY = ("*/manifest.json",)
"""Files of which only the names that they list are compared: digests and sizes follow from the files themselves."""
