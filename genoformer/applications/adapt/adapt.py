"""A bundle adapted to the genome at hand: labels, some more training, and what that gained on held-out regions.

Every stage keeps its result in ``OUT/.work`` until the new bundle is complete, so that the same command continues an
interrupted run.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from genoformer.applications.adapt.fine_tune import (
    BATCH_SIZE,
    CROP_BP,
    GUARD_BP,
    HELD_OUT,
    FineTuning,
    fine_tune,
    fine_tuning_data,
)
from genoformer.applications.adapt.folder import (
    FILES,
    adapted_card,
    check_target,
    claim,
    finished_gain,
    write_adapted,
)
from genoformer.applications.adapt.held_out import has_helped
from genoformer.applications.adapt.interface import Adaptation, Labels, OwnLabels, Trained
from genoformer.applications.adapt.labels import annotated_labels, describe_labels, own_labels
from genoformer.applications.genes.request import GeneRequest
from genoformer.bundle.folder import Bundle, model_device
from genoformer.decoding.masking import Mask
from genoformer.decoding.options import CallOptions
from genoformer.decoding.pseudo_labels import PseudoLabelRules
from genoformer.errors import UsageError, WarningLog
from genoformer.genomes.prepare import GenomeFiles, find_genomes, store_parameters
from genoformer.genomes.store import Store
from genoformer.inference.bundle_digests import decoder_digest
from genoformer.inference.folder import held_folder
from genoformer.inference.reading import OnBadRecord, Reading, spooled

DEFAULT_STEPS = 500
MOST_READINGS = 5
"""How often each base is read, at most, in training on own calls unless steps are asked for: the few sure genes of a
small input would be learned by heart, and with them that everything else looks otherwise."""
DEFAULT_LR = 2e-4


@dataclass(frozen=True)
class AdaptOptions:
    """What the user decides about an adaptation; everything here can change the result.

    Attributes:
        genetic_code: NCBI number; None takes what annotations say, without annotation the model's own.
        circular: Ids of circular records, ``("auto",)`` or (), as in ``GeneRequest``; an annotation says it itself.
        max_gap_bp: Genes do not run across longer runs of N.
        on_bad_record: "error" or "skip".
        steps: Optimiser steps; None for ``DEFAULT_STEPS``, or what ``MOST_READINGS`` allows.
        lr: Highest learning rate.
        seed: Decides held-out regions and crops.
        rules: Which of the model's own calls are sure.
        sources: Only annotation rows with one of these words in column 2; all when empty.
    """

    genetic_code: int | None = None
    circular: tuple[str, ...] = ("auto",)
    max_gap_bp: int = 9
    on_bad_record: OnBadRecord = "error"
    steps: int | None = None
    lr: float = DEFAULT_LR
    seed: int = 0
    rules: PseudoLabelRules = field(default_factory=PseudoLabelRules)
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Where an adaptation tells how far it is.

    Attributes:
        on_line: Called with lines for the user.
        on_bases: Called with bases done in the model pass since the last call.
        on_steps: Called with training steps done since the last call.
        on_planned: Called with the number of training steps, once it is known.
    """

    on_line: Callable[[str], None] = lambda line: None
    on_bases: Callable[[int], None] = lambda n: None
    on_steps: Callable[[int], None] = lambda n: None
    on_planned: Callable[[int], None] = lambda n: None


def adapt(
    paths: list[str],
    finder: Any,
    rules: Adaptation,
    out: Path,
    options: AdaptOptions,
    *,
    annotation: list[str] | None = None,
    mask: Mask | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warnings: WarningLog | None = None,
) -> dict:
    """Adapt a model to genomes and write the new bundle.

    Args:
        paths: FASTA, GenBank or EMBL files; "-" is standard input. With annotation none where it holds sequence.
        finder: The model, ready to find genes; it is left as it is.
        rules: Of its application.
        out: Folder of the new bundle.
        options: What changes the result.
        annotation: GFF3, GTF or GenBank files in the order of ``paths``; None labels the input with the model's own
            calls, where the application takes these.
        mask: Where no gene may lie; without annotation only.
        overwrite: Replace another bundle in ``out``.
        progress: Where to tell how far it is.
        warnings: Counted warnings go here.

    Returns:
        What the adaptation was and gained, as in ``calibration.json``; with ``"nothing_to_do": True`` added when
        ``out`` already holds this bundle.

    Raises:
        UsageError: There is no annotation to learn from, and own calls are no labels.
        DataError: Bad input, or too little of it.
        OutputExistsError: ``out`` holds something else.
        DivergedError: If training diverged.
        SystemExit: With 128 + signal number, when a signal stopped training at a checkpoint.
    """
    check_annotated(rules, annotation)
    inputs = [*paths, *(annotation or [])]
    check_target(out, finder.bundle.digest, inputs, overwrite=overwrite)
    with held_folder(out, FILES) as work:
        paths = paths if annotation is not None else spooled(paths, work)
        job = _Job(
            finder, rules, options, paths, annotation, mask or Mask(), work, progress or Progress(), WarningLog()
        )
        job = job if warnings is None else replace(job, warnings=warnings)
        key = _key(job)
        if (gain := finished_gain(out, key)) is not None:
            shutil.rmtree(work)
            return {**gain, "nothing_to_do": True}
        claim(out, work, key, overwrite=overwrite)
        adapted, gain, card = _adapt(job, _labels(job, key), key)
        write_adapted(out, adapted, gain, card, {"key": key, "inputs": inputs})
        return gain


@dataclass(frozen=True)
class _Job:
    """The arguments of ``adapt``, for its parts."""

    finder: Any
    rules: Adaptation
    options: AdaptOptions
    paths: list[str]
    annotation: list[str] | None
    mask: Mask
    work: Path
    progress: Progress
    warnings: WarningLog

    def genomes(self) -> list[GenomeFiles]:
        """The annotated genomes."""
        code = self.options.genetic_code
        if code is None and self.rules.assumes_own_code:
            code = self.finder.bundle.config.genetic_code
        return find_genomes(self.paths, self.annotation, code)

    def request(self) -> GeneRequest:
        """How input without annotation is read."""
        code = self.options.genetic_code
        code = self.finder.bundle.config.genetic_code if code is None else code
        call = CallOptions(genetic_code=code, max_gap_bp=self.options.max_gap_bp)
        return GeneRequest(call, Reading(self.options.on_bad_record), circular=self.options.circular)


def _key(job: _Job) -> dict:
    """What makes two adaptations the same; all input is looked at once, so that a broken last record is found first."""
    if job.annotation is not None:
        given = store_parameters(job.genomes(), None, job.rules.labels, job.options.sources)
    else:
        scan = job.request().scan(job.paths, job.warnings)
        given = {
            "sequence_digest": scan.sequence_digest, "circular": list(scan.circular), "mask_digest": job.mask.digest(),
        }  # fmt: skip
    plan = {name: getattr(job.finder.plan, name) for name in ("tile_bp", "context_bp", "precision")}
    model = {"model_digest": job.finder.bundle.digest, "decoder_digest": decoder_digest(job.finder.bundle.calibration)}
    training = {"batch_size": BATCH_SIZE, "crop_bp": CROP_BP, "held_out": HELD_OUT, "guard_bp": GUARD_BP}
    key = {"input": given, **model, **asdict(job.options), **plan, **training, "version": version("genoformer")}
    return json.loads(json.dumps(key))


def _labels(job: _Job, key: dict) -> Labels:
    on_bases = job.progress.on_bases
    if job.annotation is not None:
        labels = annotated_labels(
            job.finder, job.rules, job.genomes(), job.work, on_bases, job.warnings, job.options.sources
        )
    else:
        make = cast(OwnLabels, job.rules.own_labels)  # see check_annotated
        labels = own_labels(
            job.finder, make, job.paths, job.work, job.request(), job.options.rules, key, mask=job.mask,
            on_bases=on_bases,
        )  # fmt: skip
    job.progress.on_line(describe_labels(Store(labels.store)))
    return labels


def _adapt(job: _Job, labels: Labels, key: dict) -> tuple[Bundle, dict, str]:
    """Train, and measure what that gained: new bundle, gain and model card."""
    finder, store = job.finder, Store(labels.store)
    settings = _settings(job, store)
    job.progress.on_planned(settings.steps)
    data = fine_tuning_data(finder.bundle, labels.store, settings)
    regions, digest = data.regions["validation"], hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    trained = fine_tune(
        finder.bundle, job.rules.build_task, data, job.work / "run", settings, digest=digest,
        on_step=job.progress.on_steps,
    )  # fmt: skip
    trained.model.to(model_device(finder.bundle.model))
    before, after = (job.rules.score(finder, each, store, regions, labels) for each in (finder.bundle, trained))
    is_annotated = job.annotation is not None
    decoder, how = job.rules.decoder(finder, Trained(trained, store, data.regions, after["n_genes"], is_annotated))
    gain = {
        "task": finder.bundle.config.task,
        "model": finder.bundle.name,
        "model_digest": finder.bundle.digest,
        "labels": "annotation" if is_annotated else "own calls",
        "steps": settings.steps,
        "lr": settings.lr,
        "seed": settings.seed,
        "before": before,
        "after": after,
        "helped": has_helped(before, after) if is_annotated else None,
        "decoder": how,
    }
    config = replace(finder.bundle.config, genetic_code=settings.genetic_code)
    calibration = {**finder.bundle.calibration, "decoder": decoder.to_dict()}
    return replace(trained, config=config, calibration=calibration), gain, adapted_card(gain, store, regions)


def _settings(job: _Job, store: Store) -> FineTuning:
    codes = {record.genetic_code for record in store.records}
    code = codes.pop() if len(codes) == 1 else job.finder.bundle.config.genetic_code
    n_bases = sum(record.length for record in store.records)
    steps = job.options.steps or planned_steps(n_bases, on_own_calls=job.annotation is None)
    return FineTuning(steps, job.options.lr, job.options.seed, job.finder.plan.precision, code)


def planned_steps(n_bases: int, *, on_own_calls: bool) -> int:
    """Steps of training where nobody asks for a number."""
    if not on_own_calls:
        return DEFAULT_STEPS
    return max(1, min(DEFAULT_STEPS, MOST_READINGS * n_bases // (BATCH_SIZE * CROP_BP)))


def check_annotated(rules: Adaptation, annotation: list[str] | None) -> None:
    """Whether there is something to learn from.

    Raises:
        UsageError: Without annotation, for a model whose own calls are no labels.
    """
    if annotation is None and rules.own_labels is None:
        message = "a model of this task is adapted to an annotation, not to its own calls."
        raise UsageError("ADAPT-007", message, where="adapt", fix="Run genoformer adapt with --annotation FILE.")
