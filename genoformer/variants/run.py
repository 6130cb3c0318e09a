"""The course of the command: look at folder and input, leave what is finished, judge each allele, write."""

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.bundle.header import BundleHeader
from genoformer.errors import WarningLog
from genoformer.files.kept import read_object, write_object
from genoformer.inference.folder import (
    DESCRIPTIONS,
    SPOOLS,
    check_folder,
    check_results,
    claim_passes,
    claim_work,
    finish,
    held_folder,
    is_finished,
    read_summary,
    remove_results,
)
from genoformer.inference.formats import file_names
from genoformer.inference.reading import Reading, spooled
from genoformer.inference.space import check_space
from genoformer.sequence.records import Record
from genoformer.variants.alleles import LEFT_ALONE, Change, allele_kind, trimmed
from genoformer.variants.consequences import GeneIndex
from genoformer.variants.formats import FORMATS
from genoformer.variants.interface import Genome, ModelSays, VariantModel
from genoformer.variants.reports import JUDGED, AlleleReport
from genoformer.variants.request import Survey, VariantRequest, check_inputs, genome_of, read_genes, survey
from genoformer.variants.vcf_rows import VcfFile, VcfRow, scan_vcf, spool_vcf
from genoformer.variants.write import RowWriter

CHUNK_ROWS = 500
"""Rows that are judged, and kept for an interrupted run, together."""
DEFAULT_CODE = 11
KIND = "judged variants"
Reports = list[AlleleReport]


@dataclass(frozen=True)
class VariantJob:
    """Variants that are to be judged.

    Attributes:
        genome: FASTA, GenBank or EMBL file, or "-".
        vcf: VCF file, or "-".
        request: What to do.
        header: The model without its network; None for consequences alone.
        load: Loads the model.
        warnings: Counted warnings go here.
        on_start: Called with what there is to do, in bases and alleles.
        on_done: Called with how much was done since the last call.
    """

    genome: str
    vcf: str
    request: VariantRequest
    header: BundleHeader | None
    load: Callable[[], VariantModel] | None
    warnings: WarningLog = field(default_factory=WarningLog)
    on_start: Callable[[int], None] = lambda n: None
    on_done: Callable[[int], None] = lambda n: None


def judge_variants(job: VariantJob, out: Path, *, overwrite: bool = False, dry_run: bool = False) -> dict[str, Any]:
    """Fill a folder with judged variants, or find that it holds them already; an interrupted run continues.

    Args:
        job: What to do.
        out: Output folder.
        overwrite: Replace other results in ``out``.
        dry_run: Check the input, and write nothing.

    Returns:
        Content of ``summary.json``; with ``"nothing_to_do": True`` when ``out`` holds this result.

    Raises:
        DataError: Bad input, or a model that lacks what is needed.
        UsageError: The request does not fit the input.
        OutputExistsError: ``out`` holds something else.
        BusyError: Another run fills it.
    """
    check_inputs(job.genome, job.vcf)
    results = file_names(FORMATS)
    also = [path for path in (job.request.annotation, job.request.seqid_map) if path]
    check_folder(out, [job.genome, job.vcf, *also], overwrite=overwrite, results=[*results, *DESCRIPTIONS], kind=KIND)
    if dry_run:
        with TemporaryDirectory() as scratch:
            vcf, found, _ = _look(job, Path(scratch))
        return {"dry_run": True, **_counts(vcf, found)}
    with held_folder(out, [*results, *DESCRIPTIONS]) as work:
        vcf, found, paths = _look(job, work)
        key = job.request.key(vcf, found, job.header)
        if is_finished(out, key):
            shutil.rmtree(work)
            return {**read_summary(out), "nothing_to_do": True}
        check_results(out, overwrite=overwrite)
        claim_work(work, key, SPOOLS)
        genes = read_genes(job.request, list(found.lengths), job.warnings)
        model = None if job.load is None else job.load()
        remove_results(out, results)
        if model is not None:
            claim_passes(work, model.precision, SPOOLS)
            key = {**key, "precision": model.precision}
            check_space(work, model.needed_bytes(sum(found.lengths[name] for name in found.by_record)))
        job.on_start(len(vcf) + (found.n_bases if model is not None else 0))
        summary, names = _judge_and_write(job, model, genes, vcf, found, paths, work, out)
        finish(out, summary, {"key": key, "inputs": [job.genome, job.vcf, *also]}, names)
        return summary


def _look(job: VariantJob, work: Path) -> tuple[VcfFile, Survey, list[str]]:
    paths = spooled([job.genome], work)
    vcf = scan_vcf(spool_vcf(job.vcf, work), job.vcf)
    return vcf, survey(paths, vcf, job.request, job.warnings), paths


def _counts(vcf: VcfFile, found: Survey) -> dict[str, Any]:
    return {"n_records": len(found.lengths), "n_bases": found.n_bases, "n_rows": len(vcf)}


def _judge_and_write(
    job: VariantJob, model: VariantModel | None, genes: dict[str, list[Gene]] | None, vcf: VcfFile, found: Survey,
    paths: list[str], work: Path, out: Path,
) -> tuple[dict[str, Any], list[str]]:  # fmt: skip
    genome = genome_of(paths, found, genes)
    if model is not None and len(vcf):
        model.prepare(genome, work, job.on_done, job.warnings)
    tally = Tally()
    with ExitStack() as stack:
        writers = [stack.enter_context(writer) for writer in _writers(job, vcf, found, out)]
        for rows, reports in _judged(job, model, genome, vcf, found, paths, work):
            for row, of_row in zip(rows, reports, strict=True):
                for writer in writers:
                    writer.add(row, of_row)
                tally.add(of_row)
            job.on_done(len(rows))
    names = [name for writer in writers for name in writer.names]
    model_words = {} if job.header is None else {"model": job.header.name, "model_digest": job.header.digest}
    task = {} if job.header is None else {"task": job.header.config.task}
    return {**model_words, **task, **_counts(vcf, found), **tally.summary()}, names


def _writers(job: VariantJob, vcf: VcfFile, found: Survey, out: Path) -> Iterator[RowWriter]:
    contigs = [(name, found.lengths[record_id]) for record_id, name in _spelled(found)]
    about = [f"##genoformerVersion={version('genoformer')}"]
    if job.header is not None:
        about.append(f"##genoformerModel={job.header.name} {job.header.digest}")
    for word in job.request.formats:
        row = FORMATS[word]
        yield row.writer.load()(out / row.file, vcf.meta, vcf.header, contigs, about)


def _spelled(found: Survey) -> list[tuple[str, str]]:
    """Records that have rows, in the order of the genome, and how the rows call them."""
    return [(record_id, found.spelled[record_id]) for record_id in found.lengths if record_id in found.spelled]


def _judged(
    job: VariantJob, model: VariantModel | None, genome: Genome, vcf: VcfFile, found: Survey, paths: list[str],
    work: Path,
) -> Iterator[tuple[list[VcfRow], list[Reports]]]:  # fmt: skip
    """Rows in the order of the output with what is said of their alleles."""
    n_known = 0
    if found.by_record:
        for number, record in Reading().all_records(paths):
            low, high = found.by_record.get(record.id, (0, 0))
            if low < high:
                judge = _RecordJudge(job, model, genome, number, record)
                for start in range(low, high, CHUNK_ROWS):
                    which = found.order[start : min(start + CHUNK_ROWS, high)]
                    rows = list(vcf.rows(which))
                    yield rows, _kept(work / f"judged-{start:09d}.json", rows, which, found, judge)
                n_known = high
    for start in range(n_known, len(vcf), CHUNK_ROWS):
        which = found.order[start : start + CHUNK_ROWS]
        rows = list(vcf.rows(which))
        yield rows, [left_alone(row, found.statuses[int(i)]) for i, row in zip(which, rows, strict=True)]


def _kept(path: Path, rows: list[VcfRow], which: np.ndarray, found: Survey, judge: "_RecordJudge") -> list[Reports]:
    """What is said of some rows: as an interrupted run has left it, undamaged, or made and kept."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):  # it is not there, or damaged
        found_reports = [[AlleleReport.from_dict(one) for one in of_row] for of_row in read_object(path)]
        if [len(of_row) for of_row in found_reports] == [len(row.alts) for row in rows]:
            return found_reports
    made = judge.reports(rows, [found.statuses.get(int(i)) for i in which])
    if judge.is_slow:
        write_object(path, [[one.to_dict() for one in of_row] for of_row in made])
    return made


def left_alone(row: VcfRow, status: str) -> Reports:
    """Reports of a row that does not fit the genome."""
    return [AlleleReport(allele_kind(row.ref, alt) or "", status) for alt in row.alts]


class _RecordJudge:
    """Says what is to be said of the rows of one record."""

    def __init__(
        self, job: VariantJob, model: VariantModel | None, genome: Genome, number: int, record: Record
    ) -> None:
        options = job.request.options
        self._model, self._number, self._record = model, number, record
        code = options.genetic_code or (job.header.config.genetic_code if job.header else DEFAULT_CODE)
        if genome.genes is not None:
            genes: Sequence[Gene] = genome.genes.get(record.id, [])
        else:
            genes = [] if model is None else model.genes(number, record)
        self._index = GeneIndex(genes, record.codes, code, options.is_circular(record))

    @property
    def is_slow(self) -> bool:
        """Whether it is worth keeping what was said."""
        return self._model is not None

    def reports(self, rows: Sequence[VcfRow], statuses: Sequence[str | None]) -> list[Reports]:
        """Of each row, for each of its alleles."""
        changes: list[Change] = []
        slots: list[list[tuple[str, str, int]]] = []
        for row, status in zip(rows, statuses, strict=True):
            slots.append([])
            for alt in row.alts:
                kind = allele_kind(row.ref, alt) or ""
                reason = status or (kind if kind in LEFT_ALONE else JUDGED)
                slots[-1].append((kind, reason, len(changes)))
                if reason == JUDGED:
                    changes.append(trimmed(row.position, row.ref, alt))
        said = list(self._said(changes))
        return [[self._report(kind, reason, at, changes, said) for kind, reason, at in slot] for slot in slots]

    def _said(self, changes: Sequence[Change]) -> Iterator[ModelSays]:
        if self._model is None or not changes:
            return iter([ModelSays()] * len(changes))
        order = sorted(range(len(changes)), key=lambda i: (changes[i].start, changes[i].end))
        found = self._model.judge(self._number, self._record, [changes[i] for i in order])
        said = dict(zip(order, found, strict=True))
        return (said[i] for i in range(len(changes)))

    def _report(
        self, kind: str, reason: str, at: int, changes: Sequence[Change], said: Sequence[ModelSays]
    ) -> AlleleReport:
        if reason != JUDGED:
            return AlleleReport(kind, reason)
        consequences = tuple(self._index.consequences(changes[at]))
        return AlleleReport(kind, reason, consequences, said[at].genes, said[at].outputs)


class Tally:
    """Counts for ``summary.json``."""

    def __init__(self) -> None:
        self._n_alleles = 0
        self._statuses: Counter[str] = Counter()
        self._consequences: Counter[str] = Counter()
        self._effects: Counter[str] = Counter()

    def add(self, reports: Reports) -> None:
        """Count the alleles of a row."""
        for report in reports:
            self._n_alleles += 1
            self._statuses[report.status] += 1
            self._consequences.update({one.terms[0] for one in report.consequences})
            self._effects.update({one.effect for one in report.genes})

    def summary(self) -> dict[str, Any]:
        """What is said of all."""
        return {
            "n_alleles": self._n_alleles, "statuses": dict(self._statuses), "consequences": dict(self._consequences),
            "effects": dict(self._effects),
        }  # fmt: skip
