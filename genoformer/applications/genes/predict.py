"""Genes of FASTA files, written to a folder: scan, model pass, writing; each step streams record by record.

The model pass is the long one: its results are kept in ``OUT/.work`` until the outputs are complete, so that the same
command continues an interrupted run.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from genoformer.annotation.read_bed import read_bed_intervals
from genoformer.applications.functions.caller import FunctionCaller
from genoformer.applications.functions.outputs import write_terms
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.functions import GeneFunctions, check_names_functions
from genoformer.applications.genes.impression import Impression
from genoformer.applications.genes.outputs import WRITERS, GeneOutputs
from genoformer.decoding.caller import CallOptions
from genoformer.decoding.masking import Mask
from genoformer.errors import UsageError, WarningLog
from genoformer.inference.bundle_parts import decoder_digest
from genoformer.inference.folder import FUNCTIONS
from genoformer.inference.passes import ModelPasses, pass_records
from genoformer.inference.reading import (
    PredictOptions,
    Scan,
    all_records,
    call_options,
    is_wanted,
    placed,
    records_of,
    scan_records,
    stretch,
)
from genoformer.inference.run import Written, run_prediction
from genoformer.sequence.records import Record

N_NAMED = 5
"""Records that a message names, so that the user sees how ids look."""
ADAPTED = "adapted"
"""The bundle in ``OUT/.work`` that an adaptation to the input gives; it goes when the prediction is complete."""


@dataclass(frozen=True)
class GenomeScan(Scan):
    """What the input holds, and the mask that goes with it.

    Attributes:
        mask: Where no gene may lie.
    """

    mask: Mask


def predict(
    paths: list[str],
    finder: GeneFinder,
    out: Path,
    options: PredictOptions,
    *,
    mask: str | Path | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    on_start: Callable[[GenomeScan], None] = lambda scan: None,
    on_bases: Callable[[int], None] = lambda n: None,
    adapt: Callable[[list[str], Mask, Path], GeneFinder] | None = None,
    functions: FunctionCaller | None = None,
    warnings: WarningLog | None = None,
) -> dict:
    """Find genes and write them.

    Args:
        paths: FASTA files; "-" is standard input.
        finder: Model and decoder.
        out: Output folder.
        options: What changes the results.
        mask: BED file of intervals in which no gene may lie (see ``decoding.masking``), plain or gzip.
        overwrite: Replace other results in ``out``.
        dry_run: Check the input, and write nothing.
        on_start: Called once the input is known.
        on_bases: Called with bases done since the last call.
        adapt: Makes ``options.adaptation`` come true: called with the files, the mask and the folder of the new bundle,
            which it continues when it was interrupted; gives the model that predicts.
        functions: Says what the genes do, too, see ``gene_functions``; None for genes alone.
        warnings: Counted warnings go here.

    Returns:
        As ``run_prediction``.

    Raises:
        UsageError: ``functions`` says numbers.
        DataError: Bad input, one id in two files, or a mask that does not fit the input.
        OutputExistsError: ``out`` holds something else.
    """
    warnings = WarningLog() if warnings is None else warnings
    if functions is not None:
        check_names_functions(functions)

    def key(scan: GenomeScan) -> dict:
        about_genes = prediction_key(scan, finder, options)
        if functions is None:
            return about_genes
        about_functions = {"model_digest": functions.bundle.digest, "calibration": functions.calibration}
        return {**about_genes, "functions": about_functions}

    def write(paths: list[str], scan: GenomeScan, work: Path) -> Written:
        own = finder if adapt is None else adapt(paths, scan.mask, work / ADAPTED)
        on_start(scan)
        passes = make_passes(paths, own, options, scan.mask, work, on_bases)
        summary = write_results(paths, own, out, options, scan, passes, warnings, functions)
        about_functions = [] if functions is None else [FUNCTIONS, *write_terms(out, functions)]
        names = [*gene_files(options), *about_functions]
        return Written(summary, names, {"batch_size": own.plan.batch_size})

    return run_prediction(
        paths, out, scan=lambda paths: scan_input(paths, options, mask, warnings), key=key, write=write,
        also_read=[] if mask is None else [str(mask)], overwrite=overwrite, dry_run=dry_run,
    )  # fmt: skip


def scan_input(paths: list[str], options: PredictOptions, mask: str | Path | None, warnings: WarningLog) -> GenomeScan:
    """Read everything once, so that a broken last record is found before the work, not after it."""
    lengths: dict[str, int] = {}
    missing = set(options.circular) - {"auto"} if options.region is None else {options.region[0]}
    first: list[str] = []

    def wanted() -> Iterator[Record]:
        for number, record in all_records(paths, options, warnings):
            missing.discard(record.id)
            if number < N_NAMED:
                first.append(record.id)
            if mask is not None:
                lengths[record.id] = len(record)
            if is_wanted(record, options):
                yield record

    scan = scan_records(wanted(), lambda record: len(stretch(record, options)))
    if missing and options.region is not None:
        message = f'there is no record "{options.region[0]}"; the input begins with {", ".join(first)}.'
        raise UsageError("REGION-001", message)
    if missing:
        raise UsageError("CIRCULAR-001", f"--circular names records that are not there: {', '.join(sorted(missing))}.")
    intervals = {} if mask is None else read_bed_intervals(mask, lengths, warnings)
    return GenomeScan(scan.n_records, scan.n_bases, scan.sequence_digest, Mask(intervals))


def prediction_key(scan: GenomeScan, finder: GeneFinder, options: PredictOptions) -> dict:
    """What makes two predictions the same, JSON types."""
    call = {name: value for name, value in asdict(options.call).items() if name != "buffer_bp"}
    rest = {name: value for name, value in asdict(options).items() if name != "call"}
    plan = {"tile_bp": finder.plan.tile_bp, "context_bp": finder.plan.context_bp, "precision": finder.plan.precision}
    key = {"sequence_digest": scan.sequence_digest, "mask_digest": scan.mask.digest(), **call, **rest, **plan}
    key |= {"model_digest": finder.bundle.digest, "decoder_digest": decoder_digest(finder.decoder)}
    key["version"] = version("genoformer")
    return json.loads(json.dumps(key))


def gene_files(options: PredictOptions) -> list[str]:
    """Names of the files that the genes are written to."""
    return [WRITERS[word][0] for word in options.formats]


def make_passes(
    paths: list[str],
    finder: GeneFinder,
    options: PredictOptions,
    mask: Mask,
    folder: Path,
    on_bases: Callable[[int], None],
    share: range | None = None,
) -> ModelPasses:
    """The model pass of the input, or of a share of it, kept in ``folder``; see ``model_passes.pass_records``."""
    shift = options.region[1] if options.region else 0
    records = (
        (number, stretch(record, options), call_options(record, options), mask.of(record.id) - shift)
        for number, record in records_of(paths, options)
    )
    return pass_records(finder, records, folder, on_bases, share)


def write_results(
    paths: list[str],
    finder: GeneFinder,
    out: Path,
    options: PredictOptions,
    scan: GenomeScan,
    passes: ModelPasses,
    warnings: WarningLog,
    functions: FunctionCaller | None = None,
) -> dict:
    """Statistics of the genome, genes and their files; gives the content of ``summary.json``."""

    def passed() -> Iterator[tuple[np.ndarray, np.ndarray, CallOptions]]:
        for number, record in records_of(paths, options):
            yield stretch(record, options), passes[number], call_options(record, options)

    is_one_genome = options.statistics and not options.metagenome
    shared = finder.statistics(passed, options.call) if is_one_genome else None
    impression, n_statistics = Impression(), int(shared is not None and shared.are_own)
    with (
        GeneOutputs(out, options.formats, locus_tag=options.locus_tag, functions=functions is not None) as outputs,
        GeneFunctions(functions, out) as notes,
    ):
        for number, record in records_of(paths, options):
            codes, rows, call = stretch(record, options), passes[number], call_options(record, options)
            own = shared
            if options.statistics and options.metagenome:
                own = finder.statistics(lambda one=(codes, rows, call): [one], call)
                n_statistics += own is not None and own.are_own
            genes = finder.genes(record.id, codes, rows, call, own)
            impression.add(codes, genes)
            notes.add(record.id, codes, genes)
            outputs.write(record, placed(genes, options), circular=call.circular, genetic_code=call.genetic_code)
    familiar = impression.familiarity(finder.bundle.calibration.get("codon_evidence"))
    impression.warn(familiar, options.call.genetic_code, warnings)
    adaptation = finder.bundle.calibration.get("adaptation") if options.adaptation else None
    return {
        "model": finder.bundle.name if adaptation is None else adaptation["model"],
        "model_digest": finder.bundle.digest,
        "sequence_digest": scan.sequence_digest,
        "n_records": scan.n_records,
        "n_bases": scan.n_bases,
        "n_genes": outputs.n_genes,
        "n_partial": outputs.n_partial,
        "coding_share": round(outputs.coding_bp / max(scan.n_bases, 1), 4),
        "genetic_code": options.call.genetic_code,
        "genome_statistics": n_statistics if options.metagenome else bool(n_statistics),
        **familiar,
        **({} if adaptation is None else {"adaptation": adaptation}),
        **notes.summary(),
    }
