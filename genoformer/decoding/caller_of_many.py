"""What ``caller`` says of one record, of many short ones in one look at all of them: the contigs of a metagenome."""

from collections.abc import Sequence

import numpy as np

from genoformer.decoding.caller import HOPELESS_ODDS, STATISTICS_ROUNDS, hopeful, record_stop_rate, sure_genes
from genoformer.decoding.decoder import GeneDecoder, Scored
from genoformer.decoding.genome_counts import count_genes
from genoformer.decoding.joined import join
from genoformer.decoding.options import CallOptions
from genoformer.decoding.statistics import GenomeStatistics, estimate_statistics

SHORT_BP = 50_000
"""Longer records are looked at one by one: a look at one has more to do than to begin."""

CodesAndRows = tuple[np.ndarray, np.ndarray, CallOptions]
"""uint8 base codes [L], candidates, and options."""
Choice = tuple[Scored, np.ndarray]
"""What ``GeneDecoder.choose`` gives."""


def choose_each(
    records: Sequence[CodesAndRows], decoder: GeneDecoder, statistics: Sequence[GenomeStatistics | None]
) -> list[Choice]:
    """The best compatible set of each record.

    Args:
        records: Base codes, candidates and options of each.
        decoder: The bundle's.
        statistics: For each record, or None.
    """
    choices: dict[int, Choice] = {}
    short: dict[int, list[int]] = {}
    for number, (codes, candidates, options) in enumerate(records):
        if len(codes) <= SHORT_BP:
            short.setdefault(id(decoder.scorer(statistics[number])), []).append(number)
        else:
            rate = record_stop_rate(codes, options)
            choices[number] = decoder.choose(codes, candidates, rate, statistics[number])
    for numbers in short.values():
        rates = [record_stop_rate(records[i][0], records[i][2]) for i in numbers]
        found = decoder.choose_each([records[i][:2] for i in numbers], rates, [statistics[i] for i in numbers])
        choices |= dict(zip(numbers, found, strict=True))
    return [choices[number] for number in range(len(records))]


def hopeful_each(records: Sequence[CodesAndRows], decoder: GeneDecoder) -> list[np.ndarray]:
    """Candidates of each record that ``caller.hopeful`` keeps; arguments as for ``choose_each``."""
    if any(options.other_code is not None for _, _, options in records):
        return [hopeful(decoder, codes, options)(candidates) for codes, candidates, options in records]
    together = join([len(codes) for codes, _, _ in records], [candidates for _, candidates, _ in records])
    if len(together.rows) == 0:
        return [candidates for _, candidates, _ in records]
    rates = np.array([record_stop_rate(codes, options) for codes, _, options in records])
    odds = decoder.score(np.empty(0, np.uint8), together.rows, rates[together.record]).frame_odds
    parts = np.split(odds > HOPELESS_ODDS, np.searchsorted(together.record, np.arange(1, len(records))))
    return [candidates[is_kept] for (_, candidates, _), is_kept in zip(records, parts, strict=True)]


def statistics_each(records: Sequence[CodesAndRows], decoder: GeneDecoder) -> list[GenomeStatistics | None]:
    """``caller.genome_statistics`` of each record as a genome of its own; arguments as for ``choose_each``."""
    learned: list[GenomeStatistics | None] = [None] * len(records)
    background: dict[int, np.ndarray] = {}
    sure: dict[int, np.ndarray] = {}
    live = list(range(len(records)))
    for _ in range(STATISTICS_ROUNDS if decoder.adapted is not None else 1):
        choices = choose_each([records[i] for i in live], decoder, [learned[i] for i in live])
        for i, choice in zip(live, choices, strict=True):
            codes, candidates, _ = records[i]
            before, sure[i] = sure.get(i), sure_genes(candidates, *choice)
            if before is not None and np.array_equal(before, sure[i]):
                continue  # the same genes tell the same
            counts = count_genes(codes, candidates, sure[i], background.get(i))
            background[i] = counts.background
            learned[i] = estimate_statistics(counts, None if decoder.prior is None else decoder.prior.at(counts.gc))
        live = [i for i in live if learned[i] is not None]
    return learned
