"""A record through the model, piece by piece: tiles with context, both strands, joined in forward coordinates.

Where layers hand something on along the sequence (``EncoderConfig.carried``) tiles have no context: each is read with
what was kept of the tile before it on its strand.

The "-" strand is the same model on the reverse complement, tiled from its own 5′ end, so that a record and its reverse
complement give mirrored outputs. Memory holds one batch of tiles per strand, whatever the record's length.
"""

import contextlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from genoformer.errors import UsageError
from genoformer.nn.allocator import give_back
from genoformer.nn.config import EncoderConfig
from genoformer.nn.layers.refusals import BackendError, TooManyTokensError
from genoformer.nn.side_by_side import side_by_side
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.sequence.kmers import CLS_ID, KmerTokenizer
from genoformer.sequence.tiles import Tile, iter_tiles
from genoformer.threads import working_threads

GIVE_BACK_BP = 1_000_000
"""Memory that is free goes back to the system so often."""

Piece = tuple[int, int, np.ndarray]

LEAST_TILES, TILES_PER_WARM_UP = 32, 8
"""Tiles that are read at once, and held, where the last one is given first: at most an eighth more than those wanted is
read."""
THREAD_BP = 50_000
"""Sequence that keeps a thread busy for about a second. On less, threads that wait for each other cost more
processor time than they save, several times as much where others use the machine as well."""


@dataclass(frozen=True)
class TilePlan:
    """How a model reads long sequence; part of what makes two predictions equal.

    Attributes:
        tile_bp: Bases kept of each tile.
        context_bp: Bases read on each side and thrown away.
        batch_size: Tiles per model call.
        precision: "float32", or "bfloat16" for autocast.
    """

    tile_bp: int
    context_bp: int
    batch_size: int = 2
    precision: str = "float32"


def strand_logits(
    network: nn.Module,
    tokenizer: KmerTokenizer,
    codes: np.ndarray,
    plan: TilePlan,
    *,
    backwards: bool = False,
    span: tuple[int, int] | None = None,
) -> Iterator[Piece]:
    """Outputs of one strand, tile by tile.

    Args:
        network: Base-level model in evaluation mode.
        tokenizer: The model's tokenizer.
        codes: uint8 base codes of the strand, 5′ to 3′, shape [L].
        plan: Tiles and batches.
        backwards: Give the last tile first.
        span: Only bases [start, end). Tiles and batches are those of the whole strand, so that a part has the very bits
            that the whole has there.

    Yields:
        (start, end, logits): bases [start, end) of the strand as read, float32 [end - start, C].

    Raises:
        UsageError: If the tiles are longer than the model's learned positions, or hold no whole segments.
    """
    config = encoder_config(network)
    check_tile_length(config, plan)
    first, last = (0, len(codes)) if span is None else span
    if config is not None and config.carried is not None:
        yield from _carried_logits(network, config, tokenizer, codes, plan, (first, last), backwards)
        return
    tiles = list(iter_tiles(len(codes), tile_bp=plan.tile_bp, context_bp=plan.context_bp, stride=tokenizer.stride))
    batches = _batches(tiles[::-1] if backwards else tiles, plan.batch_size)
    wanted = [batch for batch in batches if any(tile.start < last and first < tile.end for tile in batch)]
    outputs = _outputs(network, tokenizer, [[(codes, tile) for tile in batch] for batch in wanted], plan)
    for tile, logits in zip(itertools.chain.from_iterable(wanted), outputs, strict=True):
        start, end = max(tile.start, first), min(tile.end, last)
        if start < end:
            yield start, end, logits[start - tile.read_start : end - tile.read_start]


def record_logits(
    network: nn.Module,
    tokenizer: KmerTokenizer,
    codes: np.ndarray,
    plan: TilePlan,
    *,
    span: tuple[int, int] | None = None,
) -> Iterator[Piece]:
    """Outputs of both strands in ascending forward coordinates.

    Yields:
        (start, end, logits): forward bases [start, end), row 0 "+" and row 1 "-", float32 [2, end - start, C]. The
        pieces follow each other without gaps and cover the record, or ``span``; they end where ``piece_ends`` says.
    """
    L = len(codes)
    first, last = (0, L) if span is None else span
    if 0 < L <= plan.tile_bp and plan.batch_size > 1:
        yield first, last, _both_strands(network, tokenizer, codes, plan)[:, first:last]
        return
    plus = strand_logits(network, tokenizer, codes, plan, span=(first, last))
    turned = strand_logits(
        network, tokenizer, reverse_complement(codes), plan, backwards=True, span=(L - last, L - first)
    )
    minus = ((L - end, L - start, logits[::-1]) for start, end, logits in turned)
    yield from _giving_back(_zip_strands(plus, minus))


def _giving_back(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces; what is free goes back to the system now and then.

    Arrays that are kept between the large tensors of a call and the next leave holes that no tensor fits in: a long
    record took 60 MB more for each Mb.
    """
    since_bp = 0
    for piece in pieces:
        yield piece
        since_bp += piece[1] - piece[0]
        if since_bp >= GIVE_BACK_BP:
            give_back()
            since_bp = 0


def _carried_logits(
    network: Any, config: EncoderConfig, tokenizer: KmerTokenizer, codes: np.ndarray, plan: TilePlan,
    span: tuple[int, int], backwards: bool,
) -> Iterator[Piece]:  # fmt: skip
    """``strand_logits`` of a network whose layers hand something on from each tile to the next.

    A part of a strand begins so many tiles before it that its first one is given what it would be given in a run over
    the whole: the same bits. That is how the last tile can be given first, too: some tiles at a time are read.
    """
    tiles = list(_tiles_with_neighbours(len(codes), config, plan))
    wanted = [i for i, tile in enumerate(tiles) if tile.start < span[1] and span[0] < tile.end]
    n_before = warm_up_tiles(config, plan)
    n_at_once = max(LEAST_TILES, TILES_PER_WARM_UP * n_before) if backwards else len(tiles)
    ends = range(len(wanted), 0, -n_at_once)
    for part in (wanted[max(0, end - n_at_once) : end] for end in ends):
        kept, pieces = None, []
        for i in range(max(0, part[0] - n_before), part[-1] + 1):
            logits, kept = _read_on(network, config, tokenizer, codes, tiles[i], kept, plan.precision)
            if i < part[0]:
                continue
            start, end = max(tiles[i].start, span[0]), min(tiles[i].end, span[1])
            piece = start, end, logits[start - tiles[i].start : end - tiles[i].start]
            if backwards:
                pieces.append(piece)
            else:
                yield piece
        yield from reversed(pieces)


def warm_up_tiles(config: EncoderConfig, plan: TilePlan) -> int:
    """Tiles in front of one that its outputs depend on: each layer sees one memory further back."""
    memory = 0 if config.carried is None else config.carried.memory
    return config.n_layers * -(-memory * config.stride // plan.tile_bp)


def _tiles_with_neighbours(length: int, config: EncoderConfig, plan: TilePlan) -> Iterator[Tile]:
    """Tiles from the 5′ end; what is read on both sides is for the embeddings alone."""
    before, behind = (n * config.stride for n in config.embedded_neighbours)
    for start in range(0, length, plan.tile_bp):
        end = min(start + plan.tile_bp, length)
        yield Tile(start, end, max(0, start - before), min(length, end + behind))


def _read_on(
    network: Any, config: EncoderConfig, tokenizer: KmerTokenizer, codes: np.ndarray, tile: Tile, kept: Any,
    precision: str,
) -> tuple[np.ndarray, Any]:  # fmt: skip
    """Outputs of the kept bases of a tile, float32 [L, C], and what the next tile is given."""
    inputs = model_inputs(config, tokenizer, [(codes, tile)], network)
    margins = tuple(-(-n // config.stride) for n in (tile.start - tile.read_start, tile.read_end - tile.end))
    tokens, base_codes = inputs.pop("token_ids"), inputs.get("base_codes")
    with computing(tokens.device, precision):
        logits, kept = network.read_stretch(tokens, kept=kept, margins=margins, base_codes=base_codes)
    return logits[0].float().cpu().numpy(), kept


def _both_strands(network: nn.Module, tokenizer: KmerTokenizer, codes: np.ndarray, plan: TilePlan) -> np.ndarray:
    """Outputs of a record of one tile in one model call, [2, L, C]: contigs are often shorter than a tile."""
    check_tile_length(encoder_config(network), plan)
    whole = Tile(0, len(codes), 0, len(codes))
    outputs = _outputs(network, tokenizer, [[(codes, whole), (reverse_complement(codes), whole)]], plan)
    plus, minus = (logits[: len(codes)] for logits in outputs)  # a token at the end may own less than its bases
    return np.stack((plus, minus[::-1]))


def piece_ends(length: int, tile_bp: int) -> list[int]:
    """Where the pieces of ``record_logits`` end: both strands have tiles from their own 5′ end.

    Args:
        length: Bases of the record.
        tile_bp: Bases kept of each tile.
    """
    return sorted({*range(tile_bp, length, tile_bp), *range(length, 0, -tile_bp)})


def _zip_strands(plus: Iterator[Piece], minus: Iterator[Piece]) -> Iterator[Piece]:
    """Cut two gapless streams of pieces at each other's ends."""
    top = bottom = None
    for top in plus:
        start, end, above = top
        while start < end:
            if bottom is None or bottom[1] == start:
                bottom = next(minus)
            cut = min(end, bottom[1])
            below = bottom[2][start - bottom[0] : cut - bottom[0]]
            yield start, cut, np.stack((above[start - top[0] : cut - top[0]], below))
            start = cut


def _batches(tiles: list[Tile], batch_size: int) -> Iterator[list[Tile]]:
    """Consecutive tiles of equal length, so that no batch needs padding."""
    batch: list[Tile] = []
    for tile in tiles:
        length = tile.read_end - tile.read_start
        if batch and (len(batch) == batch_size or batch[0].read_end - batch[0].read_start != length):
            yield batch
            batch = []
        batch.append(tile)
    if batch:
        yield batch


def _tile_tokens(tokenizer: KmerTokenizer, codes: np.ndarray, tile: Tile) -> np.ndarray:
    lookahead = codes[tile.read_end : tile.read_end + tokenizer.k]
    return tokenizer.encode(codes[tile.read_start : tile.read_end], lookahead=lookahead)


def _outputs(
    network: nn.Module, tokenizer: KmerTokenizer, batches: list[list[tuple[np.ndarray, Tile]]], plan: TilePlan
) -> Iterator[np.ndarray]:
    """Outputs of each tile of its strand, float32 [L, C]; those of a batch are equally long.

    On several threads of a processor each tile is a call of its own, and others are computed while one is looked at.
    """

    def call(reads: list[tuple[np.ndarray, Tile]]) -> np.ndarray:
        inputs = model_inputs(encoder_config(network), tokenizer, reads, network)
        tokens = inputs.pop("token_ids")
        with computing(tokens.device, plan.precision):
            return network(tokens, **inputs).float().cpu().numpy()

    if torch.get_num_threads() == 1 or next(network.parameters()).device.type != "cpu":
        for batch in batches:
            yield from call(batch)
        return
    reads = itertools.chain.from_iterable(batches)
    for (logits,) in side_by_side(call, ([read] for read in reads), plan.batch_size):
        yield logits


def model_inputs(
    config: EncoderConfig | None, tokenizer: KmerTokenizer, reads: list[tuple[np.ndarray, Tile]], network: nn.Module
) -> dict[str, torch.Tensor]:
    """``token_ids`` [tiles, G + T] and, if the model reads them, ``base_codes``, where the network is."""
    n_globals = config.n_global_tokens if config else 0
    token_ids = np.stack([_tile_tokens(tokenizer, codes, tile) for codes, tile in reads])
    padded = np.pad(token_ids, ((0, 0), (n_globals, 0)), constant_values=CLS_ID).astype(np.int64)
    inputs = {"token_ids": padded}
    if config and config.base_embedding:
        owned = np.stack([tokenizer.owned_bases(codes[tile.read_start : tile.read_end]) for codes, tile in reads])
        inputs["base_codes"] = np.pad(owned, ((0, 0), (n_globals, 0), (0, 0)), constant_values=N_CODE)
    device = next(network.parameters()).device
    return {name: torch.from_numpy(array).to(device) for name, array in inputs.items()}


@contextmanager
def computing(device: torch.device, precision: str) -> Iterator[None]:
    """A call of a network: without gradients, in this number format, its refusals explained."""
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
    with refusals_explained(), torch.inference_mode(), autocast:
        yield


def encoder_config(network: nn.Module) -> EncoderConfig | None:
    """Of a network with an encoder; None for one without."""
    config = getattr(getattr(network, "encoder", None), "config", None)
    return config if isinstance(config, EncoderConfig) else None


def check_tile_length(config: EncoderConfig | None, plan: TilePlan) -> None:
    """Tiles must fit the learned positions of a model, and hold whole segments of one that hands something on.

    Raises:
        UsageError: If a tile with its context and the global tokens is longer than ``max_tokens``, or segments would
            begin anew within the grid of the strand.
    """
    if config is not None and config.carried is not None:
        segment_bp = config.carried.segment * config.stride
        if plan.tile_bp % segment_bp:
            raise UsageError(
                "MODEL-025", f"a tile of {plan.tile_bp} bp holds no whole segments of {config.carried.segment} tokens, "
                f"{segment_bp} bp.", where="model.tile_bp",
                fix="Give a multiple of encoder.attention.segment × model.stride.",
            )  # fmt: skip
    if config is None or config.positions != "learned":
        return
    context = 2 * -(-plan.context_bp // config.stride)
    n_tokens = config.n_global_tokens + plan.tile_bp // config.stride + context
    if n_tokens > config.max_tokens:
        raise UsageError(
            "MODEL-022", f"a tile of {plan.tile_bp} bp with {plan.context_bp} bp on both sides has {n_tokens} tokens, "
            f"but learned positions end at max_tokens {config.max_tokens}.", where="tile_bp",
            fix="Lower model.tile_bp or model.context_bp, or raise encoder.max_tokens.",
        )  # fmt: skip


@contextlib.contextmanager
def refusals_explained() -> Iterator[None]:
    """What a network refuses to compute becomes an error that names the setting.

    Raises:
        UsageError: If the input is longer than the learned positions, or the backend of attention cannot run here.
    """
    try:
        yield
    except TooManyTokensError as error:
        raise UsageError(
            "MODEL-022", f"{error}", where="encoder.max_tokens",
            fix="Use shorter crops or tiles, or a model with more positions.",
        ) from error  # fmt: skip
    except BackendError as error:
        raise UsageError("MODEL-021", f"{error}", where="encoder.attention.backend", fix="Set it to auto.") from error


def fastest_precision(device: torch.device) -> str:
    """The number format that the device multiplies matrices fastest in, of those that are exact enough.

    Args:
        device: Where the network is.
    """
    if device.type == "cpu":
        flags = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
        return "bfloat16" if any(flag() for flag in flags if flag) else "float32"
    return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"


@contextmanager
def fitting_threads(n_bases: int) -> Iterator[None]:
    """Compute with as many threads, of torch and of others, as an input is worth.

    Args:
        n_bases: Length of the whole input, in bp.
    """
    before = torch.get_num_threads()
    n_threads = min(before, max(1, -(-n_bases // THREAD_BP)))
    torch.set_num_threads(n_threads)
    try:
        with working_threads(n_threads):
            yield
    finally:
        torch.set_num_threads(before)


def wrap_circular(codes: np.ndarray, margin_bp: int) -> np.ndarray:
    """A circular record opened with ``margin_bp`` of sequence repeated on both sides; margins are cut to its length.

    Args:
        codes: uint8 [L].
        margin_bp: Bases to repeat on each side.

    Returns:
        uint8 [L + 2 m], m = min(margin_bp, L).
    """
    margin = min(margin_bp, len(codes))
    return np.concatenate((codes[len(codes) - margin :], codes, codes[:margin]))


def mostly_unknown(codes: np.ndarray) -> bool:
    """True where a model has nothing to read: no known base at all."""
    return bool((codes >= N_CODE).all())
