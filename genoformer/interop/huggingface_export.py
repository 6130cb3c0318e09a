"""Our encoder as a folder that ``transformers.AutoModel`` and ``AutoTokenizer`` load."""

from pathlib import Path
from typing import cast

from safetensors.torch import save
from torch import nn

from genoformer.bundle.folder import Bundle
from genoformer.files import write_bytes_atomic, write_json_atomic
from genoformer.interop.huggingface_config import KEY, check_exportable, to_longformer_config
from genoformer.interop.huggingface_files import CONFIG, TOKENIZER, WEIGHTS
from genoformer.interop.huggingface_names import State, to_longformer_names
from genoformer.interop.huggingface_tokenizer import TOKENIZER_CONFIG, tokenizer_of_size, write_tokenizer
from genoformer.interop.output_folder import output_folder
from genoformer.interop.reformer_layout import check_reformer_exportable, to_reformer_config
from genoformer.interop.reformer_weights import to_reformer_names
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.encoder import PAD_ROW, Encoder
from genoformer.nn.model import GenomeModel
from genoformer.sequence.kmers import KmerTokenizer

FILES = (CONFIG, WEIGHTS, TOKENIZER, TOKENIZER_CONFIG)


def to_huggingface(
    module: nn.Module | Bundle, folder: str | Path, *, with_tokenizer: bool = True, overwrite: bool = False
) -> None:
    """Write the encoder of a model as a ``LongformerModel`` or ``ReformerModel`` of Hugging Face, and its tokenizer.

    Hidden states of real tokens are equal to 1e-4 in float32, with padding on the right and with global tokens. There
    a mask value says which tokens are global; the model itself makes none. Heads and decoders are not written: the
    layout has no place for them. An encoder without global tokens gets global projections that are copies of the
    local ones. Buckets of a Reformer are equal but for rounding, with the ``hash_seed`` that is written.

    Args:
        module: A bundle, a ``GenomeModel`` or an ``Encoder``: learned positions, no convolution, no base embedding; of
            a Longformer post-norm and no dilation, of a Reformer ``as_transformers`` and both streams.
        folder: Where to; it is complete or not there.
        with_tokenizer: Write the ``KmerTokenizer`` that has as many ids as the encoder. False for an encoder whose ids
            are others.
        overwrite: Replace an older folder of this kind.

    Raises:
        UsageError: If the encoder has a feature that its counterpart at Hugging Face lacks.
        OutputExistsError: If the folder is taken or cannot be created.
        OutputWriteError: If writing fails.
        ValueError: If ``module`` is something else, or its embedding has no row for padding.
    """
    encoder = _encoder(module)
    config = encoder.config
    tokenizer = _tokenizer(module, encoder) if with_tokenizer else None
    as_theirs = _as_reformer if isinstance(config.attention, ReformerConfig) else _as_longformer
    values, theirs = as_theirs(encoder, tokenizer)
    # Tensors of one file must not share memory: copied projections and parts of a fused one do.
    theirs = {name: tensor.clone() for name, tensor in theirs.items()}
    with output_folder(folder, names=FILES, overwrite=overwrite) as temporary:
        write_bytes_atomic(temporary / WEIGHTS, save(theirs, metadata={"format": "pt"}))
        write_json_atomic(temporary / CONFIG, values)
        if tokenizer:
            write_tokenizer(temporary, tokenizer, max_tokens=config.max_tokens, n_global_tokens=config.n_global_tokens)


def _as_longformer(encoder: Encoder, tokenizer: KmerTokenizer | None) -> tuple[dict, State]:
    """Content of ``config.json``, and tensors."""
    config, pad_id = encoder.config, _pad_id(encoder)
    check_exportable(config)
    theirs = to_longformer_names(_state(encoder), n_layers=config.n_layers, pad_id=pad_id)
    return to_longformer_config(config, pad_id=pad_id, tokenizer=tokenizer), theirs


def _as_reformer(encoder: Encoder, tokenizer: KmerTokenizer | None) -> tuple[dict, State]:
    config, attention = encoder.config, cast(ReformerConfig, encoder.config.attention)
    check_reformer_exportable(config, attention)
    values = to_reformer_config(config, attention, pad_id=_pad_id(encoder))
    if tokenizer:
        values[KEY] = {"n_global_tokens": 0, "k": tokenizer.k, "stride": tokenizer.stride}
    return values, to_reformer_names(_state(encoder), config)


def _state(encoder: Encoder) -> State:
    return {name: tensor.detach().cpu().float() for name, tensor in encoder.state_dict().items()}


def _encoder(module: nn.Module | Bundle) -> Encoder:
    model = module.model if isinstance(module, Bundle) else module
    encoder = model.encoder if isinstance(model, GenomeModel) else model
    if not isinstance(encoder, Encoder):
        raise ValueError(f"expected a bundle, a GenomeModel or an Encoder, found {type(module).__name__}")
    return encoder


def _pad_id(encoder: Encoder) -> int:
    pad_id = encoder.token_embedding.padding_idx
    if pad_id is None:
        raise ValueError("expected an encoder whose token_embedding has a padding_idx, found none")
    return pad_id


def _tokenizer(module: nn.Module | Bundle, encoder: Encoder) -> KmerTokenizer | None:
    """None where the ids are surely not those of a ``KmerTokenizer``."""
    if isinstance(module, Bundle):
        return module.tokenizer
    if encoder.token_embedding.padding_idx != PAD_ROW:
        return None
    return tokenizer_of_size(encoder.config.vocab_size, encoder.config.stride)
