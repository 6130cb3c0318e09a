"""Our encoder, and a masked-language head, as a folder that ``transformers.AutoModel`` and ``AutoTokenizer`` load."""

from pathlib import Path
from typing import cast

from safetensors.torch import save
from torch import nn

from genoformer.bundle.folder import Bundle
from genoformer.files import write_bytes_atomic, write_json_atomic, write_text_atomic
from genoformer.interop.export_card import README, export_card
from genoformer.interop.huggingface_config import KEY, check_exportable, to_longformer_config
from genoformer.interop.huggingface_files import CONFIG, TOKENIZER, WEIGHTS
from genoformer.interop.huggingface_names import PARTS, State, last_norm, to_longformer_names
from genoformer.interop.huggingface_tokenizer import TOKENIZER_CONFIG, tokenizer_of_size, write_tokenizer
from genoformer.interop.masked_head import N_BASES, to_lm_head
from genoformer.interop.output_folder import output_folder
from genoformer.interop.reformer_layout import check_reformer_exportable, to_reformer_config
from genoformer.interop.reformer_weights import to_reformer_names
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.encoder import PAD_ROW, Encoder
from genoformer.nn.model import GenomeModel
from genoformer.sequence.alphabet import BASE_LETTERS
from genoformer.sequence.kmers import KmerTokenizer

FILES = (CONFIG, WEIGHTS, TOKENIZER, TOKENIZER_CONFIG, README)


def to_huggingface(
    module: nn.Module | Bundle, folder: str | Path, *, with_tokenizer: bool = True, overwrite: bool = False,
    card: str = "",
) -> str:  # fmt: skip
    """Write the encoder of a model as a ``LongformerModel`` or ``ReformerModel`` of Hugging Face, and its tokenizer.

    A bundle of a masked language model of bases becomes a ``LongformerForMaskedLM``, with its head (see
    ``masked_head``): logits are equal to 1e-3, but for one number for each base, where no token is global.

    Hidden states of real tokens are equal to 1e-4 in float32, with padding on the right and with global tokens. There
    a mask value says which tokens are global; the model itself makes none. Other heads and decoders are not written:
    the layout has no place for them. An encoder without global tokens gets global projections that are copies of the
    local ones. Buckets of a Reformer are equal but for rounding, with the ``hash_seed`` that is written.

    Args:
        module: A bundle, a ``GenomeModel`` or an ``Encoder``: learned positions, no convolution, no base embedding; of
            a Longformer post-norm and no dilation, of a Reformer ``as_transformers`` and both streams.
        folder: Where to; it is complete or not there.
        with_tokenizer: Write the ``KmerTokenizer`` that has as many ids as the encoder. False for an encoder whose ids
            are others.
        overwrite: Replace an older folder of this kind.
        card: Model card of the bundle, for ``README.md``.

    Returns:
        The class of transformers that reads it.

    Raises:
        UsageError: If the encoder has a feature that its counterpart at Hugging Face lacks.
        OutputExistsError: If the folder is taken by something else, or cannot be created.
        OutputWriteError: If writing fails.
        ValueError: If ``module`` is something else, or its embedding has no row for padding.
    """
    return export_encoder(module, folder, with_tokenizer=with_tokenizer, overwrite=overwrite, card=card)[0]


def export_encoder(
    module: nn.Module | Bundle, folder: str | Path, *, with_tokenizer: bool = True, overwrite: bool = False,
    card: str = "",
) -> tuple[str, bool]:  # fmt: skip
    """As ``to_huggingface``; says in the end whether the folder had all of it already."""
    encoder = _encoder(module)
    config = encoder.config
    tokenizer = _tokenizer(module, encoder) if with_tokenizer else None
    as_theirs = _as_reformer if isinstance(config.attention, ReformerConfig) else _as_longformer
    values, theirs = as_theirs(encoder, tokenizer)
    head = _masked_head(module, encoder, tokenizer)
    if head is not None:
        theirs = {f"longformer.{name}": tensor for name, tensor in theirs.items()} | head
        values |= {"architectures": ["LongformerForMaskedLM"], "tie_word_embeddings": False}
        values[KEY] |= {"task": cast(Bundle, module).config.task}
    architecture = values["architectures"][0]
    name = module.name if isinstance(module, Bundle) else "encoder"
    text = export_card(name, architecture, tokenizer, n_global_tokens=config.n_global_tokens, about=card)
    # Tensors of one file must not share memory: copied projections and parts of a fused one do.
    theirs = {name: tensor.clone() for name, tensor in theirs.items()}
    with output_folder(folder, names=FILES, overwrite=overwrite) as made:
        temporary = made.path
        write_bytes_atomic(temporary / WEIGHTS, save(theirs, metadata={"format": "pt"}))
        write_json_atomic(temporary / CONFIG, values)
        if tokenizer:
            write_tokenizer(temporary, tokenizer, max_tokens=config.max_tokens, n_global_tokens=config.n_global_tokens)
        write_text_atomic(temporary / README, text)
    return architecture, made.was_there


def _masked_head(module: nn.Module | Bundle, encoder: Encoder, tokenizer: KmerTokenizer | None) -> State | None:
    """Tensors of the head of a bundle that says which base stands where; None for another head, or a Reformer."""
    if not isinstance(module, Bundle) or tokenizer is None or isinstance(encoder.config.attention, ReformerConfig):
        return None
    if module.config.head != {"name": "base"} or module.config.labels != list(BASE_LETTERS[:N_BASES]):
        return None
    head = {part: module.model.state_dict()[f"head.projection.{part}"].detach().cpu() for part in PARTS}
    return to_lm_head(head, last_norm(_state(encoder), encoder.config.n_layers), tokenizer)


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
