"""Genes as values of Python: what a finder of genes says of one record after another."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from genoformer.annotation.models import Gene, RnaGene
from genoformer.applications.genes.code_choices import CodeChoices
from genoformer.applications.genes.kept_tracks import KeptTracks
from genoformer.applications.genes.outputs import PROBABILITIES
from genoformer.applications.genes.request import GeneRequest, asked_code
from genoformer.applications.genes.rna_genes import RnaGenes, profiles_of, without_rna
from genoformer.decoding.options import CallOptions
from genoformer.decoding.rna.call import RnaCall
from genoformer.errors import UsageError, counted
from genoformer.inference.formats import Formats
from genoformer.inference.parts import Part
from genoformer.inference.presentation import Presentation
from genoformer.inference.results import Result
from genoformer.inference.tracks import STRANDS, HeldSteps, Track, decode_probabilities
from genoformer.sequence.records import Record
from genoformer.stream import fitting_threads

FORMATS: Part[Formats] = Part("genoformer.applications.genes.outputs:FORMATS")
DRAW: Part[Any] = Part("genoformer.applications.genes.picture:draw")


@dataclass(frozen=True, repr=False)
class GenePrediction(Result):
    """The genes of one record; see ``Result`` for what all results have.

    Attributes:
        genes: Genes by start; coordinates 0-based, half-open, forward strand. ``alternatives`` of a gene are its other
            transcripts, where they were asked for.
        circular: The record was read as a circle.
        genetic_code: NCBI number of the code it was read with.
        channels: Names of the outputs per base.
        steps: What the model said of every base, if it was to be kept; ``probabilities`` reads it.
        rna_genes: Genes of rRNA and tRNA by start; None where the model has no profiles of them.
    """

    genes: list[Gene]
    circular: bool = False
    genetic_code: int = 11
    channels: tuple[str, ...] = ()
    steps: HeldSteps | None = field(default=None, compare=False)
    rna_genes: list[RnaGene] | None = None

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of each channel at every base, float32 [2, C, L], in forward coordinates.

        Row 0 is the forward strand, row 1 the other one. Values are those of ``predict --formats h5``, in steps of
        1/255; bases that no model read, in long runs of N, have 0.

        Raises:
            UsageError: If they were not kept.
        """
        return decode_probabilities(self._kept().whole(self.length)).reshape(len(STRANDS), -1, self.length)

    def given(self, needs: str) -> tuple[Any, dict[str, Any]]:
        if needs == PROBABILITIES:
            return Track(self._kept(), 0, 0, self.length), {}
        about: dict[str, Any] = {"circular": self.circular, "genetic_code": self.genetic_code}
        return self.genes, about if self.rna_genes is None else {**about, "rna_genes": self.rna_genes}

    def in_words(self) -> str:
        rna = "" if self.rna_genes is None else f", {counted(len(self.rna_genes), 'RNA gene')}"
        n = sum(len(gene.transcripts) for gene in self.genes)
        transcripts = f" with {n} transcripts" if n > len(self.genes) else ""
        return counted(len(self.genes), "gene") + transcripts + rna

    def _kept(self) -> HeldSteps:
        if self.steps is None:
            fix = "Ask for them: predict(…, probabilities=True)."
            raise UsageError("API-006", "probabilities of bases were not kept.", where=self.record_id, fix=fix)
        return self.steps


def gene_presentation(channels: tuple[str, ...]) -> Presentation:
    """How genes are shown.

    Args:
        channels: Names of the outputs per base.
    """
    return Presentation(FORMATS, {PROBABILITIES: {"channels": channels}}, draw=DRAW)


def predict_records(
    finder: Any, read: Callable[[], Iterable[Record]], *, genetic_code: int | str | None, circular: bool | None,
    probabilities: bool = False, isoforms: int = 1,
) -> Iterator[GenePrediction]:  # fmt: skip
    """Genes of every record, by a finder of genes with or without introns; see ``GeneFinder.predictions``."""
    code = asked_code(genetic_code, finder.bundle.config.genetic_code)
    call = replace(code, circular=bool(circular), isoforms=isoforms)
    as_said = GeneRequest(call, circular=("auto",))

    def options_of(record: Record) -> CallOptions:
        return as_said.call_options(record) if circular is None else call

    with fitting_threads(sum(len(record) for record in read())):
        finder = finder.following(lambda: ((record.codes, options_of(record)) for record in read()))
        found = [_pass_record(finder, record, options_of(record), probabilities) for record in read()]
    choices = CodeChoices(finder)

    def passed() -> Iterator[tuple[np.ndarray, np.ndarray, CallOptions]]:
        for number, (record, each) in enumerate(zip(read(), found, strict=True)):
            yield record.codes, *choices.read(number, record.codes, each.rows, options_of(record))

    statistics = finder.statistics(passed, replace(call, circular=False))
    channels = tuple(finder.bundle.config.labels)
    shown = gene_presentation(channels)
    for number, (record, each) in enumerate(zip(read(), found, strict=True)):
        rows, options = choices.read(number, record.codes, each.rows, options_of(record))
        genes = finder.genes(record.id, record.codes, rows, options, statistics)
        rna = None if each.rna is None else RnaGenes(None).placed(record.id, each.rna, options.genetic_code)
        yield GenePrediction(
            record.id, len(record), genes, options.circular, options.genetic_code, channels, each.steps, rna,
            record=record, shown=shown,
        )  # fmt: skip


@dataclass(frozen=True)
class _Passed:
    """The model pass of one record: candidates, what was kept of its bases, and its RNA genes."""

    rows: np.ndarray
    steps: HeldSteps | None
    rna: list[RnaCall] | None


def _pass_record(finder: Any, record: Record, options: CallOptions, probabilities: bool) -> _Passed:
    codes = record.codes
    steps = HeldSteps(len(STRANDS) * len(finder.channels)) if probabilities else None
    blocks = finder.blocks(codes, options) if steps is not None else []
    if steps is not None and blocks:
        keep = KeptTracks(finder, steps).of(0, codes, options, 0)
        rows = np.concatenate([*finder.block_candidates(codes, options, blocks, on_piece=keep)])
    else:
        rows = finder.candidates(codes, options)
    profiles = profiles_of(finder)
    if profiles is None:
        return _Passed(rows, steps, None)
    calls = RnaGenes(profiles).calls(0, codes, options)
    return _Passed(without_rna(rows, calls, codes, options), steps, calls)
