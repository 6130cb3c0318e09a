"""What the genes of the genome at hand look like, learned from a sample of it before the genes are looked for.

The decoder finds genes in the sample, first as the training genes look, and counts what they look like here; then it
finds them again with these counts, until there is little left to learn.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from genoformer.annotation.genetic_code import GeneticCode, get_genetic_code
from genoformer.applications.introns.parts import genes_of_parts
from genoformer.decoding.introns.motifs import GeneCounts, count_genes, count_sequence
from genoformer.decoding.introns.stream import decode_record
from genoformer.decoding.introns.weights import IntronDecoder
from genoformer.decoding.options import CallOptions
from genoformer.inference.packing import in_groups, read_together
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import Piece, TilePlan, mostly_unknown, record_logits
from genoformer.training.progress import stepped

SAMPLE_BP, STRETCH_BP = 2_000_000, 100_000
"""Of a longer genome so many bases are looked at, in stretches that lie evenly over it."""
ROUNDS = 3
"""How often genes are looked for in the sample."""

PIECE_BP = 65_536
"""Outputs become float32 again so many bases at a time."""

Read = Callable[[], Iterable[tuple[np.ndarray, CallOptions]]]


@dataclass(frozen=True)
class SampleStretch:
    """A stretch after the model pass.

    Attributes:
        codes: uint8 base codes, [L].
        logits: Outputs, forward coordinates, [2, L, 12]; float16 takes half the memory, and holds bfloat16 exactly.
        code: Genetic code.
        max_gap_bp: No gene runs across a longer run of unknown bases.
        is_record: It is a whole record.
    """

    codes: np.ndarray
    logits: np.ndarray
    code: GeneticCode
    max_gap_bp: int = 9
    is_record: bool = False

    def pieces(self) -> Iterator[Piece]:
        """The outputs, as ``record_logits`` gives them."""
        for start in range(0, len(self.codes), PIECE_BP):
            end = min(start + PIECE_BP, len(self.codes))
            yield start, end, self.logits[:, start:end].astype(np.float32)


class ReadBefore:
    """Whole records of a sample, whose outputs need not be computed again.

    Args:
        stretches: The sample.
    """

    def __init__(self, stretches: Sequence[SampleStretch] = ()) -> None:
        records = (stretch for stretch in stretches if stretch.is_record)
        self._by_digest: Mapping[bytes, SampleStretch] = {_digest(one.codes): one for one in records}

    def __bool__(self) -> bool:
        return bool(self._by_digest)

    def of(self, codes: np.ndarray) -> SampleStretch | None:
        """The record with these bases, if it was read."""
        return self._by_digest.get(_digest(codes)) if self._by_digest else None


def read_sample(network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, read: Read) -> list[SampleStretch]:
    """A sample of a genome, through the model.

    Args:
        network: The model, in evaluation mode.
        tokenizer: Its tokenizer.
        plan: How sequence is cut into tiles.
        read: Gives the records of the genome; called twice.
    """
    passed = []
    chosen = stepped(list(sample(read)), "reading a sample of the genome", "stretch")
    for group in in_groups((stretch, len(stretch[0])) for stretch in chosen):
        together = read_together(network, tokenizer, [codes for codes, _, _ in group], plan, [True] * len(group))
        for (codes, options, is_record), outputs in zip(group, together, strict=True):
            if mostly_unknown(codes):
                continue
            logits = np.empty((2, len(codes), 12), np.float16)
            pieces = record_logits(network, tokenizer, codes, plan) if outputs is None else [(0, len(codes), outputs)]
            for start, end, values in pieces:
                logits[:, start:end] = values
            code = get_genetic_code(options.genetic_code)
            passed.append(SampleStretch(codes, logits, code, options.max_gap_bp, is_record))
    return passed


def sample(read: Read) -> Iterator[tuple[np.ndarray, CallOptions, bool]]:
    """Stretches that lie evenly over all records, the whole where it is no longer than the sample.

    Args:
        read: Gives the records; called twice.

    Yields:
        Base codes, options, and whether this is a whole record.
    """
    total = sum(len(codes) for codes, _ in read())
    if total <= SAMPLE_BP:
        yield from ((codes, options, True) for codes, options in read() if len(codes))
        return
    n = SAMPLE_BP // STRETCH_BP
    wanted = [(i * total // n, i * total // n + STRETCH_BP) for i in range(n)]
    before = 0
    for codes, options in read():
        for start, end in wanted:
            low, high = max(start - before, 0), min(end - before, len(codes))
            if low < high:
                yield codes[low:high].copy(), options, False
        before += len(codes)


def learn_counts(decoder: IntronDecoder, stretches: Sequence[SampleStretch]) -> GeneCounts:
    """Counts of the genes that the decoder finds when it knows those counts, after ``ROUNDS`` of looking.

    Args:
        decoder: What the training genes look like.
        stretches: Where to look.
    """
    sequence = sum((count_sequence(stretch.codes) for stretch in stretches), GeneCounts.nothing())
    counts, following = sequence, decoder
    for _ in range(ROUNDS):
        counts = sum((count_found(following, stretch) for stretch in stretches), sequence)
        following = decoder.following(counts)
    return counts


def count_found(decoder: IntronDecoder, stretch: SampleStretch) -> GeneCounts:
    """Counts of the genes that are found in a stretch."""
    parts = decode_record(stretch.codes, stretch.pieces(), decoder, stretch.code, max_gap_bp=stretch.max_gap_bp)
    return count_genes(stretch.codes, (gene for gene, _ in genes_of_parts("", parts)))


def _digest(codes: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(codes).data).digest()
