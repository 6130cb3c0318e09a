"""Files as values by place, so that two of them can be compared by what they hold: JSON, tensors, HDF5, arrays."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

Values = dict[str, object]
"""Arrays, or values of JSON, by place: a dotted path, the name of a tensor, the path of a dataset."""

_SHORT_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
_NUMPY_TYPES = {name: np.dtype(text) for name, text in _SHORT_TYPES.items()} | {"BF16": np.dtype([("bfloat16", "<u2")])}
"""Types of safetensors; bfloat16, which NumPy does not have, is compared by its bits."""


def decode(path: Path) -> Values | None:
    """What a file holds, or None if it is to be compared as bytes."""
    decoder = DECODERS.get(path.suffix)
    return None if decoder is None else decoder(path)


def _json_values(path: Path) -> Values:
    return dict(_leaves(json.loads(path.read_text(encoding="utf-8")), ""))


def _leaves(value: object, place: str) -> Iterator[tuple[str, object]]:
    """Numbers, words and empty containers with their dotted places."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not parts or not value:
        yield place, value
        return
    for name, part in parts:
        yield from _leaves(part, f"{place}.{name}" if place else str(name))


def _tensors(path: Path) -> Values:
    """Tensors of a safetensors file, read as its layout says: length of the header, header in JSON, bytes."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    values: Values = {f"metadata.{name}": text for name, text in header.pop("__metadata__", {}).items()}
    for name, tensor in header.items():
        low, high = tensor["data_offsets"]
        array = np.frombuffer(data[start + low : start + high], _NUMPY_TYPES[tensor["dtype"]])
        values[name] = array.reshape(tensor["shape"])
    return values


def _hdf5_values(path: Path) -> Values:
    """Datasets, how they are stored, and attributes (``PATH@NAME``)."""
    values: Values = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        for key, value in item.attrs.items():
            values[f"{name}@{key}"] = f"{value.dtype} {value.item()!r}" if isinstance(value, np.generic) else value
        if isinstance(item, h5py.Dataset):
            values[name] = item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()]
            stored = (item.chunks, item.maxshape, item.compression, item.fletcher32)
            values[f"{name} stored"] = f"{item.dtype} chunks {stored[0]} up to {stored[1]} {stored[2:]}"
        else:
            values[f"{name} group"] = "group"

    with h5py.File(path, "r") as file:
        visit("", file)
        file.visititems(visit)
    return values


def _arrays(path: Path) -> Values:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


DECODERS: dict[str, Callable[[Path], Values]] = {
    ".json": _json_values,
    ".safetensors": _tensors,
    ".h5": _hdf5_values,
    ".npz": _arrays,
}
"""By the end of the file's name."""


def describe_change(old: object, new: object) -> str | None:
    """How two values differ, in words; None if they are the same, type and all."""
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return _array_change(old, new)
    old_text, new_text = _text(old), _text(new)
    return None if old_text == new_text else f"{old_text} → {new_text}"


def _text(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return json.dumps(value, ensure_ascii=False, default=repr)


def _array_change(old: np.ndarray, new: np.ndarray) -> str | None:
    if old.dtype != new.dtype or old.shape != new.shape:
        return f"{_text(old)} → {_text(new)}"
    if old.dtype.hasobject:
        return None if old.tolist() == new.tolist() else f"other values, {_text(old)}"
    changed = (_bits(old) != _bits(new)).any(axis=1)
    if not changed.any():
        return None
    what = f"{int(changed.sum())} of {old.size} values differ"
    if old.dtype.kind not in "fiu":
        return what
    largest = np.max(np.abs(old.astype(np.float64) - new.astype(np.float64)))
    return f"{what}, by up to {largest:.3g}"


def _bits(values: np.ndarray) -> np.ndarray:
    """Bytes of each value, uint8 [n, bytes]: NaN is the same as NaN, and 0 is not the same as -0."""
    return np.frombuffer(values.tobytes(), np.uint8).reshape(-1, max(values.dtype.itemsize, 1))
