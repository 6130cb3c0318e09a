"""Keys of configurations that are called otherwise than they were: an old one is an error that names the new one."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from genoformer.errors import UsageError
from genoformer.training.yaml_text import load_yaml

OLD_KEYS = {
    "data.batch_size": "data.loader.batch_size",
    "data.samples_per_epoch": "data.loader.samples_per_epoch",
    "data.num_workers": "data.loader.num_workers",
    "data.by": "data.split.by",
    "data.validation": "data.split.validation",
    "data.test": "data.split.test",
    "data.guard_bp": "data.split.guard_bp",
    "data.split": "data.split.file",
    "data.split_seed": "data.split.seed",
    "data.fraction_of_sequences": "data.split.fraction_of_sequences",
    "data.keep_copies": "data.split.keep_copies",
    "data.label_column": "data.columns.label",
    "data.sequence_column": "data.columns.sequence",
    "data.id_column": "data.columns.id",
    "data.group_column": "data.columns.group",
    "data.columns": "data.columns.names",
    "data.recoded": "data.augment.recoded",
    "data.mutated": "data.augment.mutated",
    "data.masked": "data.augment.masked",
    "data.synonymous": "data.augment.synonymous",
    "data.substituted": "data.augment.substituted",
    "model.options.rna": "data.rna_genes",
    "model.encoder.window_radius": "model.encoder.attention.window_radius",
    "model.encoder.dilation": "model.encoder.attention.dilation",
    "model.encoder.attention_dropout": "model.encoder.attention.dropout",
    "model.encoder.backend": "model.encoder.attention.backend",
}
"""Full names, old to new. A key that has become a group is an old one where its value is no mapping."""
CONFIG_SUFFIXES = (".yaml", ".yml", ".json")


def check_keys(argv: Sequence[str], config_options: Sequence[str]) -> None:
    """UsageError for the first old key on a command line or in its configurations.

    Args:
        argv: Arguments with configurations as files. What cannot be read is left to the parser.
        config_options: Options whose value is a configuration.
    """
    for where, name, value in written_values(argv, config_options):
        _refuse_old(leaves(value, name), where=where)


def written_values(argv: Sequence[str], config_options: Sequence[str]) -> Iterator[tuple[str, str, object]]:
    """What a command line and its configurations say: where it stands, the name that it begins with, the value.

    Args:
        argv: Arguments with configurations as files. What cannot be read is None.
        config_options: Options whose value is a configuration.
    """
    for word, following in pairwise([*argv, ""]):
        option, equals, text = word.partition("=")
        text = text if equals else following
        if option in config_options:
            yield text, "", _read(Path(text))
        elif option.startswith("--"):
            yield "command line", option.removeprefix("--").removesuffix("+"), _value(text)


def leaves(value: object, name: str = "") -> Iterator[str]:
    """Full names of the values in nested mappings, which are no mappings themselves.

    Example:
        >>> list(leaves({"data": {"loader": {"batch_size": 4}, "labels": "x.csv"}}))
        ['data.loader.batch_size', 'data.labels']
    """
    if not isinstance(value, Mapping):
        yield name
        return
    for key, inner in value.items():
        yield from leaves(inner, f"{name}.{key}" if name else str(key))


def _refuse_old(keys: Iterator[str], where: str) -> None:
    for key in keys:
        if key in OLD_KEYS:
            raise UsageError("CONFIG-019", f"the key {key} is called {OLD_KEYS[key]}.", where=where)


def _value(text: str) -> object:
    """What an option is given; a group of keys may be given as the name of a file with them."""
    value = _parse(text)
    inside = _read(Path(text)) if text.endswith(CONFIG_SUFFIXES) else None
    return inside if isinstance(inside, Mapping) else value


def _read(path: Path) -> object:
    try:
        return _parse(path.read_text())
    except (OSError, UnicodeDecodeError):
        return None


def _parse(text: str) -> object:
    try:
        return load_yaml(text)
    except ValueError:
        return None
