"""The model pass of many records, block by block, in the order of the input."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from genoformer.applications.genes.kept_tracks import OnPiece
from genoformer.decoding.caller import Block
from genoformer.decoding.options import CallOptions
from genoformer.inference.packing import in_groups
from genoformer.inference.passes import ModelPasses, keep_intact


class BlockFinder(Protocol):
    """A model that looks for genes in blocks of a record; see ``caller.GeneFinder``."""

    def blocks(self, codes: np.ndarray, options: CallOptions) -> list[Block]:
        """The blocks in which the model pass of a record can be done."""

    def block_candidates(
        self, codes: np.ndarray, options: CallOptions, blocks: Sequence[Block], on_bases: Callable[[int], None] = ...,
        masked: np.ndarray | None = None, on_piece: OnPiece | None = None, ready: Any = ...,
    ) -> Iterator[np.ndarray]:  # fmt: skip
        """The model pass of neighbouring blocks: rows of one type for each.

        One that has ``read_together(records, wanted)``, see ``inference.packing``, is given what that says of a record.
        """


class Flushed(Protocol):
    """What is written before candidates are."""

    def flush(self) -> list[str]:
        """Put on disk what was gathered; names of the files."""

    def is_intact(self, name: str) -> bool:
        """Whether a file is there and as it was written."""

    def keep(self, names: set[str]) -> None:
        """Keep these files of an interrupted run, and no others."""


class Keeps(Protocol):
    """Keeps outputs of every base; see ``kept_tracks.KeptTracks``."""

    @property
    def kept(self) -> Flushed:
        """Where they are kept."""

    def of(self, number: int, codes: np.ndarray, options: CallOptions, owned_from: int) -> OnPiece:
        """What is called with the outputs of one record."""


def pass_records(
    finder: BlockFinder,
    records: Iterable[tuple[int, np.ndarray, CallOptions, np.ndarray | None]],
    folder: Path,
    on_bases: Callable[[int], None],
    share: range | None = None,
    tracks: Keeps | None = None,
) -> ModelPasses:
    """Candidates of every record; those that an interrupted run left intact in the folder are not made again.

    Args:
        finder: The model.
        records: Number, uint8 base codes [L], options and masked intervals of each, see
            ``caller.GeneFinder.block_candidates``.
        folder: Of the files.
        on_bases: Called with bases done since the last call.
        share: Only blocks that begin among these bases, counted through all records; None for all blocks.
        tracks: Keeps what the model says of every base; None where no format asks for it.
    """
    n_before = 0
    if tracks:
        tracks.kept.keep(keep_intact(folder, tracks.kept.is_intact))
    else:
        keep_intact(folder)
    with ModelPasses(folder, before_write=tracks.kept.flush if tracks else tuple) as passes:
        for group in in_groups((record, len(record[1])) for record in records):
            missing: list[dict[int, Block]] = []
            for number, codes, options, _ in group:
                wanted = _wanted_blocks(finder, codes, options, n_before, share)
                n_before += len(codes)
                missing.append({j: block for j, block in wanted.items() if (number, j) > passes.last})
                on_bases(sum(block.end - block.begin for j, block in wanted.items() if j not in missing[-1]))
            read = _read_together(finder, [record[1:3] for record in group], [bool(blocks) for blocks in missing])
            for (number, codes, options, masked), blocks, ready in zip(group, missing, read, strict=True):
                if not blocks:
                    continue
                more: dict[str, Any] = {} if ready is None else {"ready": ready}
                if tracks:
                    more["on_piece"] = _keeper(finder, tracks, number, codes, options, blocks)
                found = finder.block_candidates(codes, options, list(blocks.values()), on_bases, masked, **more)
                for (j, block), candidates in zip(blocks.items(), found, strict=True):
                    passes.add((number, j), candidates, length_bp=block.end - block.begin)
    return passes


def _read_together(finder: BlockFinder, records: list[tuple[np.ndarray, CallOptions]], wanted: list[bool]) -> list[Any]:
    """What is said of records that are read together; None of a finder that reads them one by one, nor of one alone."""
    read = getattr(finder, "read_together", None)
    if read is None or len(records) == 1 or not any(wanted):
        return [None] * len(records)
    return read(records, wanted)


def _keeper(
    finder: BlockFinder, tracks: Keeps, number: int, codes: np.ndarray, options: CallOptions, blocks: Iterable[int]
) -> OnPiece:
    """What keeps the outputs of some blocks: neighbours overlap, and a base belongs to the first that has it."""
    first = min(blocks)
    owned_from = finder.blocks(codes, options)[first - 1].end if first else 0
    return tracks.of(number, codes, options, owned_from)


def _wanted_blocks(
    finder: BlockFinder, codes: np.ndarray, options: CallOptions, n_before: int, share: range | None
) -> dict[int, Block]:
    """Blocks of a record that belong to the share, by their number; ``n_before`` bases come before the record."""
    if share is not None and (n_before >= share.stop or n_before + len(codes) <= share.start):
        return {}
    blocks = enumerate(finder.blocks(codes, options))
    last = len(codes) - 1
    return {j: block for j, block in blocks if share is None or n_before + min(block.emitted_to, last) in share}
