"""What a model is adapted to: a store with the genes of an annotation, or with the model's own sure calls.

Both come with the statistics of the genome under the given model, for which every record is read once.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from genoformer.annotation.tracks import MASKED, START
from genoformer.applications.adapt.interface import Adaptation, Labels, OwnLabels
from genoformer.applications.genes.passes import pass_records
from genoformer.applications.genes.request import GeneRequest
from genoformer.decoding.masking import Mask
from genoformer.decoding.options import CallOptions
from genoformer.decoding.pseudo_labels import PseudoLabelRules
from genoformer.errors import DataError, WarningLog
from genoformer.genomes.prepare import GenomeFiles, is_store_of, prepare_store
from genoformer.genomes.store import Source, Store, write_store

STORE = "data.h5"
INPUT = "input"
"""The genome that unannotated files make up together."""
MIN_GENES = 20
"""Fewer labelled genes teach a model their own composition, not that of a genome."""
READ_BP = 1 << 20

Passed = Iterator[tuple[np.ndarray, np.ndarray, CallOptions]]


def annotated_labels(
    finder: Any,
    rules: Adaptation,
    genomes: list[GenomeFiles],
    work: Path,
    on_bases: Callable[[int], None],
    warnings: WarningLog,
    sources: Sequence[str] = (),
) -> Labels:
    """The labels of annotations.

    Args:
        finder: The model.
        rules: Of its application.
        genomes: Sequences and annotations.
        work: Folder of the store.
        on_bases: Called with bases done since the last call.
        warnings: Counted warnings go here.
        sources: Only annotation rows with one of these words in column 2; all when empty.

    Raises:
        DataError: If a file is damaged, ids do not match, or there are too few genes.
    """
    prepare_store(work / STORE, genomes, labels=rules.labels, sources=sources, warnings=warnings)
    store = Store(work / STORE)
    _check_genes(store, "the annotation names", "Give the annotation of more sequence.")
    if not rules.has_statistics:
        return Labels(work / STORE, {})
    passes = pass_records(finder, ((*found, None) for found in _stored_records(store)), work, on_bases)
    statistics = {}
    for name in dict.fromkeys(record.genome for record in store.records):

        def passed(name: str = name) -> Passed:
            for number, codes, options in _stored_records(store, name):
                yield codes, passes[number], options

        first = next(record for record in store.records if record.genome == name)
        statistics[name] = finder.statistics(passed, CallOptions(genetic_code=first.genetic_code))
    return Labels(work / STORE, statistics)


def own_labels(
    finder: Any,
    make: OwnLabels,
    paths: list[str],
    work: Path,
    request: GeneRequest,
    rules: PseudoLabelRules,
    parameters: dict,
    *,
    mask: Mask,
    on_bases: Callable[[int], None],
) -> Labels:
    """Labels from the model's own calls; all files are one genome.

    Args:
        finder: The model.
        make: Makes labels of one record.
        paths: FASTA files.
        work: Folder of the store.
        request: Genetic code, gaps and circular records.
        rules: What is sure, what doubtful.
        parameters: What decides the labels, JSON types.
        mask: Where no gene may lie.
        on_bases: Called with bases done since the last call.

    Raises:
        DataError: If the model is sure of too few genes.
    """

    finder = finder.following(
        lambda: ((record.codes, request.call_options(record)) for _, record in request.reading.all_records(paths))
    )
    records = (
        (number, record.codes, request.call_options(record), mask.of(record.id))
        for number, record in request.reading.all_records(paths)
    )
    passes = pass_records(finder, records, work, on_bases)

    def passed() -> Passed:
        for number, record in request.reading.all_records(paths):
            yield record.codes, passes[number], request.call_options(record)

    statistics = finder.statistics(passed, request.call)

    def sources() -> Iterator[Source]:
        for number, record in request.reading.all_records(paths):
            options = request.call_options(record)
            tracks, table = make(finder, record.codes, passes[number], options, statistics, rules)
            yield INPUT, replace(record, description=""), tracks, table, options.circular, options.genetic_code

    if not is_store_of(work / STORE, parameters):
        write_store(work / STORE, sources(), parameters)
    _check_genes(Store(work / STORE), "the model is sure of", "Give --annotation, or use the model as it is.")
    return Labels(work / STORE, {INPUT: statistics})


def describe_labels(store: Store) -> str:
    """One line for the user: genes, starts, and the share of bases that is neither example nor counterexample."""
    n_starts = n_masked = 0
    for record in store.records:
        for start in range(0, record.length, READ_BP):
            tracks = store.tracks(record.index, start, min(start + READ_BP, record.length))
            is_masked = tracks & MASKED != 0
            n_starts += int(np.count_nonzero((tracks & START != 0) & ~is_masked))
            n_masked += int(np.count_nonzero(is_masked[0]))
    share = n_masked / sum(record.length for record in store.records)
    return f"labels: {_n_genes(store):,} genes, {n_starts:,} of them with a start, {share:.1%} of the bases masked"


def _stored_records(store: Store, genome: str | None = None) -> Iterator[tuple[int, np.ndarray, CallOptions]]:
    for record in store.records:
        if genome in (None, record.genome):
            options = CallOptions(genetic_code=record.genetic_code, circular=record.circular)
            yield record.index, store.bases(record.index, 0, record.length), options


def _n_genes(store: Store) -> int:
    """Genes that are examples."""
    return sum(int(np.count_nonzero(~store.genes(record.index)["masked"])) for record in store.records)


def _check_genes(store: Store, found: str, fix: str) -> None:
    n_genes = _n_genes(store)
    if n_genes < MIN_GENES:
        raise DataError("ADAPT-001", f"{found} {n_genes} genes, and {MIN_GENES} are needed to adapt a model.", fix=fix)
