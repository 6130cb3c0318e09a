"""Longformers, Reformers, and BERTs over k-mers, from folders of Hugging Face as our encoder."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from genoformer.errors import DataError, UsageError
from genoformer.interop.bert_weights import bert_to_longformer
from genoformer.interop.huggingface_config import KEY, model_type, to_encoder_config, window_radius, with_defaults
from genoformer.interop.huggingface_files import CONFIG, read_object, read_vocabulary, read_weights
from genoformer.interop.huggingface_names import (
    POSITIONS,
    TOKEN_TYPES,
    WORDS,
    State,
    from_longformer_names,
    last_norm,
    to_longformer_names,
)
from genoformer.interop.huggingface_tokenizer import kmer_rows, our_tokenizer
from genoformer.interop.masked_head import PREFIX, from_lm_head
from genoformer.interop.reformer_layout import from_reformer_config
from genoformer.interop.reformer_weights import from_reformer_names, to_reformer_names
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import PAD_ROW, Encoder
from genoformer.sequence.kmers import KmerTokenizer

MAX_TOKENS = 4096
"""Positions of a Longformer made from a BERT.

Reference: Beltagy, Peters and Cohan 2020, Longformer, section 5.
"""
LEFT_OUT = ("pooler.", "embeddings.position_ids")
"""What every base model has and an encoder does not need."""


@dataclass(frozen=True)
class ImportOptions:
    """What a folder leaves open; None = as the folder says, or the default of ``from_huggingface``.

    Attributes:
        max_tokens: Positions of a Longformer made from a BERT.
        window_radius: Tokens seen on each side by a Longformer made from a BERT.
        n_global_tokens: 0 leaves out the global projections.
        default_n_global_tokens: Taken where neither ``n_global_tokens`` nor the folder says anything.
    """

    max_tokens: int | None = None
    window_radius: int | None = None
    n_global_tokens: int | None = None
    default_n_global_tokens: int = 1


@dataclass(frozen=True)
class ImportedEncoder:
    """What a folder holds.

    Attributes:
        encoder: In evaluation mode.
        tokenizer: Whose ids it reads; None = ids of the folder's own.
        source: "longformer", "reformer" or "bert".
        left_out: Names of tensors that were not read.
        head: "weight" and "bias" of a head that says which base stands where; None if the folder has none that
            ``to_huggingface`` wrote, or it was trained further.
    """

    encoder: Encoder
    tokenizer: KmerTokenizer | None
    source: str
    left_out: tuple[str, ...]
    head: State | None = None


def from_huggingface(
    folder: str | Path,
    *,
    max_tokens: int | None = None,
    window_radius: int | None = None,
    n_global_tokens: int | None = None,
) -> Encoder:
    """Read an encoder that was saved with ``save_pretrained``.

    It is called as ``module(token_ids, valid_mask=..., global_mask=...)`` and gives hidden states [B, T, D], equal to
    those of Hugging Face to 1e-4 in float32, for padding on the right. Nothing in the folder is run.

    A Reformer gives both of its streams, [B, T, 2 D]. Its rotations are those that ``transformers`` draws with the
    ``hash_seed`` of the folder, 0 where it has none; rounding may put a token in a thousand into another bucket.

    A Longformer keeps the ids of its folder. A BERT must be one over k-mers, as DNABERT is; its embedding is sorted by
    word into the ids of ``KmerTokenizer``, its positions are repeated up to ``max_tokens``, its global projections are
    copies of the local ones. It equals the BERT on inputs of at most ``window_radius`` + 1 tokens that the BERT has
    positions for.

    Args:
        folder: Longformer, Reformer or BERT, with or without a head; heads and poolers are not read.
        max_tokens: Longest input of a Longformer made from a BERT, 4096 by default; a Longformer has its own.
        window_radius: Tokens seen on each side by one made from a BERT, by default as many as the BERT has positions;
            a Longformer has its own.
        n_global_tokens: 0 leaves out the global projections. By default what the folder says that was written by
            ``to_huggingface``, else 1.

    Returns:
        The encoder, in evaluation mode, float32.

    Raises:
        MissingFileError: If a file is not there.
        DataError: If a file cannot be read, or describes what the encoder cannot represent.
        RefusedError: If ``pytorch_model.bin`` holds more than tensors.
        UsageError: If ``max_tokens`` or ``window_radius`` is given for a Longformer, or a number is out of range.
    """
    return read_encoder(Path(folder), ImportOptions(max_tokens, window_radius, n_global_tokens)).encoder


def read_encoder(folder: Path, options: ImportOptions) -> ImportedEncoder:
    """``from_huggingface`` with the tokenizer and what was left out."""
    _check_options(options)
    where, stored = str(folder / CONFIG), read_object(folder / CONFIG)
    if model_type(stored, where) == "reformer":
        return _read_reformer(folder, stored, options)
    values = with_defaults(stored, where)
    tensors = read_weights(folder)
    state, left_out = _base_model(tensors, values["model_type"])
    read = _read_bert if values["model_type"] == "bert" else _read_longformer
    try:
        _check_tables(state, values, folder)
        found = read(folder, values, state, left_out, options)
    except KeyError as error:
        raise _misfit(f"there is no {error}", folder) from error
    return _with_head(found, tensors)


def _with_head(found: ImportedEncoder, tensors: State) -> ImportedEncoder:
    if found.tokenizer is None or found.source != "longformer":
        return found
    norm = last_norm(found.encoder.state_dict(), found.encoder.config.n_layers)
    head = from_lm_head({name: tensor.float() for name, tensor in tensors.items()}, norm, found.tokenizer)
    if head is None:
        return found
    left_out = tuple(name for name in found.left_out if not name.startswith(PREFIX))
    return replace(found, head=head, left_out=left_out)


def stored_task(folder: Path) -> str | None:
    """Name of the task of a folder that ``to_huggingface`` wrote with its head; None for others.

    Raises:
        GenoformerError: If ``config.json`` cannot be read.
    """
    stored = read_object(folder / CONFIG).get(KEY)
    task = stored.get("task") if isinstance(stored, dict) else None
    return task if isinstance(task, str) else None


def _read_longformer(folder, values, state, left_out, options: ImportOptions) -> ImportedEncoder:
    if options.max_tokens is not None or options.window_radius is not None:
        raise UsageError(
            "HF-013", "a Longformer has its own max_tokens and window_radius.", where=str(folder),
            fix="Leave them out: they are for a BERT.",
        )  # fmt: skip
    where, pad_id = str(folder / CONFIG), values["pad_token_id"]
    tokenizer = _our_tokenizer(folder, values)
    config = to_encoder_config(
        values, where, vocab_size=len(state[WORDS]), window_radius=window_radius(values, where),
        max_tokens=values["max_position_embeddings"] - pad_id - 1, stride=tokenizer.stride if tokenizer else 1,
        n_global_tokens=_n_global_tokens(values, options),
    )  # fmt: skip
    return ImportedEncoder(_load(config, state, pad_id, folder), tokenizer, "longformer", left_out)


def _read_reformer(folder: Path, stored: dict, options: ImportOptions) -> ImportedEncoder:
    if any((options.max_tokens, options.window_radius, options.n_global_tokens)):
        raise UsageError(
            "HF-013", "a Reformer has its own max_tokens, no window_radius and no global tokens.", where=str(folder),
            fix="Leave them out.",
        )  # fmt: skip
    state, left_out = _base_model(read_weights(folder), "reformer")
    tokenizer, pad_id = _our_tokenizer(folder, stored), stored.get("pad_token_id")
    try:
        config = from_reformer_config(
            stored, str(folder / CONFIG), vocab_size=len(state[WORDS]), stride=tokenizer.stride if tokenizer else 1
        )
        with torch.random.fork_rng(devices=[]):
            encoder = Encoder(config)
        if unknown := sorted(set(state) - set(to_reformer_names(encoder.state_dict(), config))):
            raise _misfit(f"{unknown[0]} has no place in it", folder)
        encoder.load_state_dict(from_reformer_names(state, config))
    except KeyError as error:
        raise _misfit(f"there is no {error}", folder) from error
    except (RuntimeError, IndexError) as error:
        raise _misfit(" ".join(str(error).split()), folder) from error
    encoder.token_embedding.padding_idx = pad_id if isinstance(pad_id, int) else PAD_ROW
    return ImportedEncoder(encoder.eval(), tokenizer, "reformer", left_out)


def _read_bert(folder, values, state, left_out, options: ImportOptions) -> ImportedEncoder:
    vocabulary = read_vocabulary(folder)
    if vocabulary is None:
        raise DataError(
            "HF-011", "there is no vocab.txt: without it nobody knows which row is which k-mer.", where=str(folder),
            fix="Put it beside config.json.",
        )  # fmt: skip
    k, rows = kmer_rows(vocabulary, str(folder))
    if max(rows) >= len(state[WORDS]) or min(rows) < 0:
        message = f"the vocabulary has ids up to {max(rows)}, the embedding {len(state[WORDS])} rows."
        raise DataError("HF-011", message, where=str(folder))
    config = to_encoder_config(
        values, str(folder / CONFIG), vocab_size=len(rows), max_tokens=options.max_tokens or MAX_TOKENS,
        window_radius=options.window_radius or values["max_position_embeddings"],
        n_global_tokens=_n_global_tokens(values, options),
    )  # fmt: skip
    n_layers = config.n_layers
    state = bert_to_longformer(state, rows=rows, max_tokens=config.max_tokens, n_layers=n_layers, pad_id=PAD_ROW)
    return ImportedEncoder(_load(config, state, PAD_ROW, folder), KmerTokenizer(k=k), "bert", left_out)


def _check_options(options: ImportOptions) -> None:
    for name, least in {"max_tokens": 1, "window_radius": 1, "n_global_tokens": 0}.items():
        value = getattr(options, name)
        if value is not None and value < least:
            raise UsageError("HF-016", f"{name} must be at least {least}, not {value}.")


def _base_model(state: State, kind: str) -> tuple[State, tuple[str, ...]]:
    """The tensors of the base model in float32, without their prefix, and the names of all others."""
    prefix = f"{kind}."
    if not any(name.startswith(prefix) for name in state):
        prefix = ""
    base = {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
    # Before any arithmetic: the sum of two float16 tables is rounded.
    kept = {name: tensor.float() for name, tensor in base.items() if not name.startswith(LEFT_OUT)}
    return kept, tuple(sorted(name for name in state if name.removeprefix(prefix) not in kept))


def _our_tokenizer(folder: Path, values: dict) -> KmerTokenizer | None:
    """The ``KmerTokenizer`` that a Longformer was written with; None if its ids are others."""
    vocabulary = read_vocabulary(folder)
    tokenizer = our_tokenizer(vocabulary) if vocabulary else None
    stride = _ours(values, "stride", 1)
    return replace(tokenizer, stride=stride) if tokenizer and 1 <= stride <= tokenizer.k else tokenizer


def _n_global_tokens(values: dict, options: ImportOptions) -> int:
    if options.n_global_tokens is not None:
        return options.n_global_tokens
    return _ours(values, "n_global_tokens", options.default_n_global_tokens)


def _ours(values: dict, name: str, default: int) -> int:
    """A number that ``to_huggingface`` wrote."""
    stored = values.get(KEY)
    number = stored.get(name, default) if isinstance(stored, dict) else default
    return number if isinstance(number, int) and number >= 0 else default


def _check_tables(state: State, values: dict, folder: Path) -> None:
    """Raises:
    DataError: If an embedding has another shape than ``config.json`` says.
    """
    n_rows = {WORDS: None, POSITIONS: values["max_position_embeddings"], TOKEN_TYPES: None}
    for name, rows in n_rows.items():
        shape = tuple(state[name].shape)
        if len(shape) != 2 or shape[1] != values["hidden_size"] or shape[0] < 1 or rows not in (None, shape[0]):
            expected = f"[{rows or 'any'}, {values['hidden_size']}]"
            raise _misfit(f"{name} has the shape {list(shape)}, not {expected}", folder)


def _load(config: EncoderConfig, state: State, pad_id: int, folder: Path) -> Encoder:
    """An encoder with these weights; a tensor that has no place in it is refused."""
    with torch.random.fork_rng(devices=[]):
        encoder = Encoder(config)
    known = to_longformer_names(encoder.state_dict(), n_layers=config.n_layers, pad_id=pad_id)
    if unknown := sorted(set(state) - set(known)):
        raise _misfit(f"{unknown[0]} has no place in it", folder)
    has_global = config.n_global_tokens > 0
    try:
        ours = from_longformer_names(state, n_layers=config.n_layers, pad_id=pad_id, has_global=has_global)
        encoder.load_state_dict(ours)
    except RuntimeError as error:
        raise _misfit(" ".join(str(error).split()), folder) from error
    encoder.token_embedding.padding_idx = pad_id
    return encoder.eval()


def _misfit(message: str, folder: Path) -> DataError:
    return DataError("HF-012", f"the weights do not fit {CONFIG}: {message[:200]}.", where=str(folder))
