"""The files of a Hugging Face folder as plain values: configuration, tensors, vocabulary. Nothing in them is run."""

import json
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from genoformer.errors import DataError, MissingFileError, RefusedError

CONFIG, WEIGHTS, INDEX, OLD_WEIGHTS = (
    "config.json", "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
)  # fmt: skip
VOCABULARY, TOKENIZER = "vocab.txt", "tokenizer.json"


def read_object(path: Path) -> dict:
    """A JSON object.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If it is something else.
    """
    if not path.is_file():
        raise MissingFileError(
            "HF-002", f"there is no {path.name}.", where=str(path.parent), fix="Name a folder of save_pretrained."
        )
    try:
        stored = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError("HF-007", f"this is not JSON: {error}.", where=str(path)) from error
    if not isinstance(stored, dict):
        raise DataError("HF-007", "a JSON object is expected.", where=str(path))
    return stored


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint, on the CPU: safetensors in one file or several, else ``pytorch_model.bin``.

    Raises:
        MissingFileError: If the folder has none of them, or lacks a part.
        DataError: If a file cannot be read.
        RefusedError: If ``pytorch_model.bin`` holds more than tensors.
    """
    if (folder / WEIGHTS).is_file():
        return _read_safetensors(folder / WEIGHTS)
    if (folder / INDEX).is_file():
        return _read_parts(folder)
    if (folder / OLD_WEIGHTS).is_file():
        return _read_pickled(folder / OLD_WEIGHTS)
    raise MissingFileError(
        "HF-002", f"there is neither {WEIGHTS} nor {INDEX} nor {OLD_WEIGHTS}.", where=str(folder),
        fix="Name a folder of save_pretrained.",
    )  # fmt: skip


def read_vocabulary(folder: Path) -> dict[str, int] | None:
    """Words and their ids from ``vocab.txt`` or ``tokenizer.json``; None if there is neither.

    Raises:
        DataError: If a file cannot be read, or names a word twice.
    """
    if (folder / VOCABULARY).is_file():
        return _read_word_list(folder / VOCABULARY)
    if (folder / TOKENIZER).is_file():
        return _read_tokenizer(folder / TOKENIZER)
    return None


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise DataError("HF-008", f"the tensors cannot be read: {error}.", where=str(path)) from error


def _read_parts(folder: Path) -> dict[str, Tensor]:
    where, parts = str(folder / INDEX), read_object(folder / INDEX).get("weight_map")
    if not isinstance(parts, dict) or not all(isinstance(name, str) for name in parts.values()):
        raise DataError("HF-008", "there is no weight_map from tensors to files.", where=where)
    state: dict[str, Tensor] = {}
    for name in sorted(set(parts.values())):
        if Path(name).name != name:
            raise DataError("HF-008", f"{name!r} is not a file of this folder.", where=where)
        if not (folder / name).is_file():
            raise MissingFileError("HF-002", f"there is no {name}, which {INDEX} names.", where=str(folder))
        state |= _read_safetensors(folder / name)
    return state


def _read_pickled(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise RefusedError(
            "HF-009", "the file holds more than tensors, or is damaged; it was not run.", where=str(path),
            fix="Ask for model.safetensors.",
        ) from error  # fmt: skip
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        first_line = str(error).splitlines()[:1]
        raise DataError("HF-008", f"the tensors cannot be read: {first_line}.", where=str(path)) from error
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise DataError("HF-008", "a table of tensors is expected.", where=str(path))
    return state


def _read_word_list(path: Path) -> dict[str, int]:
    try:
        words = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("HF-010", f"the vocabulary cannot be read: {error}.", where=str(path)) from error
    vocabulary: dict[str, int] = {}
    for number, word in enumerate(words):
        if vocabulary.setdefault(word, number) != number:
            raise DataError("HF-010", f'"{word}" stands there twice.', where=f"{path} line {number + 1}")
    return vocabulary


def _read_tokenizer(path: Path) -> dict[str, int]:
    stored = read_object(path)
    try:
        words = dict(stored["model"]["vocab"]) | {token["content"]: token["id"] for token in stored["added_tokens"]}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("HF-010", f"there is no vocabulary of whole words ({error}).", where=str(path)) from error
    if not all(isinstance(word, str) and isinstance(row, int) for word, row in words.items()):
        raise DataError("HF-010", "a vocabulary from words to ids is expected.", where=str(path))
    return words
