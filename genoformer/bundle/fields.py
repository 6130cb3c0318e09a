"""What the fields of a bundle's configuration may hold, and which files may lie in its folder."""

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from genoformer.errors import DataError

MOST_JSON_BYTES = 2**24
"""Of a JSON file; those of shipped models have half a megabyte. Reading one takes ten times as much memory."""
MOST_BP = 2**28
MOST_NUMBER = 2**31
MOST_FITTED = 1e300
"""Of a calibration, whose numbers may be those of labels: what a float holds, with room to compute."""
WHOLE_NUMBERS = {
    "k": (1, 12), "stride": (1, 12), "tile_bp": (1, MOST_BP), "context_bp": (0, MOST_BP), "genetic_code": (1, 33),
}  # fmt: skip
"""Least and most."""
KINDS = {"head": dict, "encoder": dict, "labels": list, "options": dict, "ontology": dict}
NAMES = {dict: "an object", list: "a list"}


def check_fields(config: Mapping[str, Any], path: Path) -> None:
    """Refuse values that no bundle has.

    Args:
        config: Fields of ``BundleConfig`` by name.
        path: Where it was read from, for the message.

    Raises:
        DataError: If a field is of another type, or out of range.
    """
    for name, (least, most) in WHOLE_NUMBERS.items():
        value = config[name]
        if type(value) is not int or not least <= value <= most:
            raise _wrong(path, name, f"a whole number from {least} to {most}", value)
    for name, kind in KINDS.items():
        if not isinstance(config[name], kind):
            raise _wrong(path, name, NAMES[kind], config[name])
    for name in (name for name in config["labels"] if not isinstance(name, str)):
        raise _wrong(path, "labels", "names", name)
    _check_numbers(config, path)
    if config["tile_bp"] % config["stride"]:
        raise _wrong(path, "tile_bp", f"a multiple of the stride {config['stride']}", config["tile_bp"])


def _check_numbers(value: Any, path: Path, name: str = "", most: float = MOST_NUMBER) -> None:
    """Refuse numbers, however deep inside, that are out of range, and those that are none."""
    if isinstance(value, list) and all(type(one) is float and -most < one < most for one in value):
        return  # most of what there is; going inside takes longer than all else that is read of a model
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        _check_numbers(one, path, f"{name}.{key}" if name else str(key), most)
    if isinstance(value, int | float) and not -most < value < most:
        raise _wrong(path, name, f"a number below {most}", value)


def check_calibration(calibration: Mapping[str, Any], path: Path) -> None:
    """Refuse a calibration whose common entries are something else; those of a task are for who reads them.

    Raises:
        DataError: If an entry is of another type, or a number out of range.
    """
    _check_numbers(calibration, path, most=MOST_FITTED)
    evidence = calibration.get("codon_evidence")
    if evidence is not None and (isinstance(evidence, bool) or not isinstance(evidence, int | float)):
        raise _wrong(path, "codon_evidence", "a number", evidence)
    adaptation = calibration.get("adaptation", {"model": ""})
    if not isinstance(adaptation, dict) or not isinstance(adaptation.get("model"), str):
        raise _wrong(path, "adaptation", "an object with the name of a model", adaptation)


def _wrong(path: Path, name: str, expected: str, found: object) -> DataError:
    shown = str(found)[:60] if isinstance(found, int | float | str) else type(found).__name__
    message = f"this makes no model: {name}: expected {expected}, found {shown}."
    return DataError("MODEL-003", message, where=str(path))


def check_plain_files(folder: Path, names: Iterable[str]) -> None:
    """Refuse members that are no files of this folder: opening them may read something else, or never end.

    Args:
        folder: The bundle.
        names: Of its members; those that are not there are left to others.

    Raises:
        DataError: If one is a link, a device, a named pipe, or JSON of an unbelievable size.
    """
    for name in names:
        path = folder / name
        try:
            found = path.lstat()
            inside = path.parent.resolve().is_relative_to(folder.resolve())
        except (OSError, ValueError):
            continue
        if not stat.S_ISREG(found.st_mode) or not inside:
            message = "this is not a plain file of the folder, but a link, a device or the like."
            raise DataError("MODEL-029", message, where=str(path), fix="Copy the file itself into the folder.")
        if path.suffix == ".json" and found.st_size > MOST_JSON_BYTES:
            message = f"{found.st_size:,} bytes of JSON are more than any model has ({MOST_JSON_BYTES:,})."
            raise DataError("MODEL-003", message, where=str(path))
