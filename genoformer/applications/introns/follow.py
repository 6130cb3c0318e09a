"""What the genes of the genome at hand look like, learned from a sample of it before the genes are looked for.

The decoder finds genes in the sample, first as the training genes look, and counts what they look like here; then it
finds them again with these counts, until there is little left to learn.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from genoformer.annotation.genetic_code import GeneticCode, get_genetic_code
from genoformer.applications.introns.parts import genes_of_parts
from genoformer.decoding.introns.motifs import GeneCounts, count_genes, count_sequence
from genoformer.decoding.introns.stream import decode_record
from genoformer.decoding.introns.weights import IntronDecoder
from genoformer.decoding.options import CallOptions
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.stream import TilePlan, mostly_unknown, record_logits
from genoformer.training.progress import stepped

SAMPLE_BP, STRETCH_BP = 2_000_000, 100_000
"""Of a longer genome so many bases are looked at, in stretches that lie evenly over it."""
ROUNDS = 3
"""How often genes are looked for in the sample."""

Read = Callable[[], Iterable[tuple[np.ndarray, CallOptions]]]


@dataclass(frozen=True)
class SampleStretch:
    """A stretch after the model pass.

    Attributes:
        codes: uint8 base codes, [L].
        logits: Outputs, forward coordinates, [2, L, 12]; float16 takes half the memory and says as much.
        code: Genetic code.
        max_gap_bp: No gene runs across a longer run of unknown bases.
    """

    codes: np.ndarray
    logits: np.ndarray
    code: GeneticCode
    max_gap_bp: int = 9


def own_counts(
    network: nn.Module, tokenizer: KmerTokenizer, plan: TilePlan, decoder: IntronDecoder, read: Read
) -> GeneCounts:
    """Counts of the genes in a sample of a genome, as the decoder finds them.

    Args:
        network: The model, in evaluation mode.
        tokenizer: Its tokenizer.
        plan: How sequence is cut into tiles.
        decoder: What the training genes look like.
        read: Gives the records of the genome; called twice.
    """
    chosen = list(sample(read))
    passed = []
    for codes, options in stepped(chosen, "reading a sample of the genome", "stretch"):
        if mostly_unknown(codes):
            continue
        logits = np.empty((2, len(codes), 12), np.float16)
        for start, end, values in record_logits(network, tokenizer, codes, plan):
            logits[:, start:end] = values
        passed.append(SampleStretch(codes, logits, get_genetic_code(options.genetic_code), options.max_gap_bp))
    return learn_counts(decoder, passed)


def sample(read: Read) -> Iterator[tuple[np.ndarray, CallOptions]]:
    """Stretches that lie evenly over all records, the whole where it is no longer than the sample.

    Args:
        read: Gives the records; called twice.
    """
    total = sum(len(codes) for codes, _ in read())
    if total <= SAMPLE_BP:
        yield from ((codes, options) for codes, options in read() if len(codes))
        return
    n = SAMPLE_BP // STRETCH_BP
    wanted = [(i * total // n, i * total // n + STRETCH_BP) for i in range(n)]
    before = 0
    for codes, options in read():
        for start, end in wanted:
            low, high = max(start - before, 0), min(end - before, len(codes))
            if low < high:
                yield codes[low:high].copy(), options
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
    pieces = [(0, len(stretch.codes), stretch.logits.astype(np.float32))]
    parts = decode_record(stretch.codes, pieces, decoder, stretch.code, max_gap_bp=stretch.max_gap_bp)
    return count_genes(stretch.codes, (gene for gene, _ in genes_of_parts("", parts)))
