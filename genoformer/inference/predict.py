"""Genes of FASTA files, written to a folder: scan, model pass, writing; each step streams record by record.

The model pass is the long one: its results are kept in ``OUT/.work`` until the outputs are complete, so that the same
command continues an interrupted run.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.annotation.read_bed import read_bed_intervals
from genoformer.decoding.caller import CallOptions
from genoformer.decoding.masking import Mask
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.files import atomic_path
from genoformer.inference.gene_calls import GeneFinder
from genoformer.inference.gene_outputs import WRITERS, GeneOutputs
from genoformer.inference.impression import Impression
from genoformer.inference.model_passes import ModelPasses, pass_records
from genoformer.inference.prediction_folder import SUMMARY, check_folder, finish, held_folder, is_finished, make_room
from genoformer.sequence.byte_chunks import read_chunks
from genoformer.sequence.fasta import read_fasta
from genoformer.sequence.records import Record, SequenceDigest

Region = tuple[str, int, int]
N_NAMED = 5
"""Records that a message names, so that the user sees how ids look."""
ADAPTED = "adapted"
"""The bundle in ``OUT/.work`` that an adaptation to the input gives; it goes when the prediction is complete."""


@dataclass(frozen=True)
class PredictOptions:
    """What the user decides about a prediction; everything here can change the results.

    Attributes:
        call: Genetic code, shortest gene and gaps.
        circular: Ids of circular records; ``("auto",)`` trusts a header that says so; empty for none.
        formats: Words of ``gene_outputs.WRITERS``.
        locus_tag: Prefix of gene names; "" for none.
        region: Only this stretch (record id, start, end; 0-based, half-open).
        statistics: Let codon usage, start codons and binding sites of the input itself count.
        metagenome: The records are of many organisms: each has its own statistics, or none if it is short.
        on_bad_record: "error" or "skip".
        adaptation: Settings of an adaptation to the input that comes first, JSON types; None for none.
    """

    call: CallOptions
    circular: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("gff3", "tsv", "protein")
    locus_tag: str = ""
    region: Region | None = None
    statistics: bool = True
    metagenome: bool = False
    on_bad_record: str = "error"
    adaptation: dict | None = None


@dataclass(frozen=True)
class Scan:
    """What the input holds.

    Attributes:
        n_records: Number of records.
        n_bases: Total length in bp.
        digest: Sequence digest.
        mask: Where no gene may lie.
    """

    n_records: int
    n_bases: int
    digest: str
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
    on_start: Callable[[Scan], None] = lambda scan: None,
    on_bases: Callable[[int], None] = lambda n: None,
    adapt: Callable[[list[str], Mask, Path], GeneFinder] | None = None,
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
        warnings: Counted warnings go here.

    Returns:
        Content of ``summary.json``; with ``"nothing_to_do": True`` added when ``out`` already holds this result.

    Raises:
        DataError: Bad input, one id in two files, or a mask that does not fit the input.
        OutputExistsError: ``out`` holds something else.
    """
    warnings = WarningLog() if warnings is None else warnings
    check_folder(out, [*paths, *([] if mask is None else [str(mask)])], overwrite=overwrite)
    if dry_run:
        scan = scan_input(paths, options, mask, warnings)
        return {"dry_run": True, "n_records": scan.n_records, "n_bases": scan.n_bases}
    with held_folder(out) as work:
        paths = spooled(paths, work)
        scan = scan_input(paths, options, mask, warnings)
        key = prediction_key(scan, finder, options)
        if is_finished(out, key):
            shutil.rmtree(work)
            return {**json.loads((out / SUMMARY).read_text()), "nothing_to_do": True}
        make_room(out, key, overwrite=overwrite)
        if adapt is not None:
            finder = adapt(paths, scan.mask, work / ADAPTED)
        on_start(scan)
        passes = make_passes(paths, finder, options, scan.mask, work, on_bases)
        summary = write_results(paths, finder, out, options, scan, passes, warnings)
        run = {"key": key, "inputs": paths, "batch_size": finder.plan.batch_size}
        finish(out, summary, run, [WRITERS[word][0] for word in options.formats])
        return summary


def spooled(paths: list[str], work: Path) -> list[str]:
    """The same inputs with standard input, which can be read once only, kept in the work folder."""
    if paths.count("-") > 1:
        raise UsageError("INPUT-002", 'standard input ("-") can be read only once.')
    if "-" not in paths:
        return paths
    spool = work / "stdin.fa"
    with atomic_path(spool) as temporary, open(temporary, "wb") as file:
        file.writelines(read_chunks("-"))
    return [str(spool) if path == "-" else path for path in paths]


def all_records(
    paths: list[str], options: PredictOptions, warnings: WarningLog | None = None
) -> Iterator[tuple[int, Record]]:
    """Every record of the input with its number."""
    seen: dict[str, str] = {}
    number = 0
    for path in paths:
        for record in read_fasta(path, on_bad_record=options.on_bad_record, warnings=warnings):
            if record.id in seen:
                raise DataError("INPUT-001", f'record "{record.id}" is also in {seen[record.id]}.', where=path)
            yield number, record
            number += 1
            if len(paths) > 1:  # inside one file the reader sees to it
                seen[record.id] = path


def _records(paths: list[str], options: PredictOptions) -> Iterator[tuple[int, Record]]:
    """The records that the prediction is about, with their number in the input."""
    return (found for found in all_records(paths, options) if _is_wanted(found[1], options))


def _is_wanted(record: Record, options: PredictOptions) -> bool:
    return options.region is None or options.region[0] == record.id


def _stretch(record: Record, options: PredictOptions) -> np.ndarray:
    """Base codes of what is looked at: the record, or its region."""
    if options.region is None:
        return record.codes
    _, start, end = options.region
    if start >= len(record):
        raise UsageError("REGION-002", f'the region begins at {start + 1}, but "{record.id}" has {len(record)} bp.')
    return record.codes[start:end]


def _placed(genes: list[Gene], options: PredictOptions) -> list[Gene]:
    """Genes of a stretch in coordinates of its record."""
    if options.region is None:
        return genes
    return [gene.shifted(options.region[1]) for gene in genes]


def scan_input(paths: list[str], options: PredictOptions, mask: str | Path | None, warnings: WarningLog) -> Scan:
    """Read everything once, so that a broken last record is found before the work, not after it."""
    digest, n_records, n_bases, lengths, first = SequenceDigest(), 0, 0, {}, []
    missing = set(options.circular) - {"auto"} if options.region is None else {options.region[0]}
    for number, record in all_records(paths, options, warnings):
        missing.discard(record.id)
        if number < N_NAMED:
            first.append(record.id)
        if mask is not None:
            lengths[record.id] = len(record)
        if _is_wanted(record, options):
            digest.update(record)
            n_records += 1
            n_bases += len(_stretch(record, options))
    if missing and options.region is not None:
        message = f'there is no record "{options.region[0]}"; the input begins with {", ".join(first)}.'
        raise UsageError("REGION-001", message)
    if missing:
        raise UsageError("CIRCULAR-001", f"--circular names records that are not there: {', '.join(sorted(missing))}.")
    intervals = {} if mask is None else read_bed_intervals(mask, lengths, warnings)
    return Scan(n_records, n_bases, digest.hexdigest(), Mask(intervals))


def prediction_key(scan: Scan, finder: GeneFinder, options: PredictOptions) -> dict:
    """What makes two predictions the same, JSON types."""
    call = {name: value for name, value in asdict(options.call).items() if name != "buffer_bp"}
    rest = {name: value for name, value in asdict(options).items() if name != "call"}
    plan = {"tile_bp": finder.plan.tile_bp, "context_bp": finder.plan.context_bp, "precision": finder.plan.precision}
    digests = {"sequence_digest": scan.digest, "model_digest": finder.bundle.digest, "mask_digest": scan.mask.digest()}
    key = {**digests, **call, **rest, **plan}
    return json.loads(json.dumps({**key, "decoder": finder.decoder.to_dict(), "version": version("genoformer")}))


def call_options(record: Record, options: PredictOptions) -> CallOptions:
    """Options of one record: circular if it is named, or its header says so."""
    header = f" {record.description.lower()} "
    says_so = any(mark in header for mark in ("circular=true", "topology=circular"))
    circular = record.id in options.circular or ("auto" in options.circular and says_so)
    return replace(options.call, circular=circular and options.region is None)


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
        (number, _stretch(record, options), call_options(record, options), mask.of(record.id) - shift)
        for number, record in _records(paths, options)
    )
    return pass_records(finder, records, folder, on_bases, share)


def write_results(
    paths: list[str],
    finder: GeneFinder,
    out: Path,
    options: PredictOptions,
    scan: Scan,
    passes: ModelPasses,
    warnings: WarningLog,
) -> dict:
    """Statistics of the genome, genes and their files; gives the content of ``summary.json``."""

    def passed() -> Iterator[tuple[np.ndarray, np.ndarray, CallOptions]]:
        for number, record in _records(paths, options):
            yield _stretch(record, options), passes[number], call_options(record, options)

    is_one_genome = options.statistics and not options.metagenome
    shared = finder.statistics(passed, options.call) if is_one_genome else None
    impression, n_statistics = Impression(), int(shared is not None)
    with GeneOutputs(out, options.formats, locus_tag=options.locus_tag) as outputs:
        for number, record in _records(paths, options):
            codes, rows, call = _stretch(record, options), passes[number], call_options(record, options)
            own = shared
            if options.statistics and options.metagenome:
                own = finder.statistics(lambda one=(codes, rows, call): [one], call)
                n_statistics += own is not None
            genes = finder.genes(record.id, codes, rows, call, own)
            impression.add(codes, genes)
            outputs.write(record, _placed(genes, options), circular=call.circular, genetic_code=call.genetic_code)
    familiar = impression.familiarity(finder.bundle.calibration.get("codon_evidence"))
    impression.warn(familiar, options.call.genetic_code, warnings)
    adaptation = finder.bundle.calibration.get("adaptation") if options.adaptation else None
    return {
        "model": finder.bundle.name if adaptation is None else adaptation["model"],
        "model_digest": finder.bundle.digest,
        "sequence_digest": scan.digest,
        "n_records": scan.n_records,
        "n_bases": scan.n_bases,
        "n_genes": outputs.n_genes,
        "n_partial": outputs.n_partial,
        "coding_share": round(outputs.coding_bp / max(scan.n_bases, 1), 4),
        "genetic_code": options.call.genetic_code,
        "genome_statistics": n_statistics if options.metagenome else bool(n_statistics),
        **familiar,
        **({} if adaptation is None else {"adaptation": adaptation}),
    }
