"""What variants change about the genes of a genome, as a model without introns finds them.

Composition and statistics of the genome are those of the reference, whatever the change: one base in millions would
shift every gene by nothing that a variant is to blame for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from genoformer.annotation.gene_files import gene_id
from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.models import Gene
from genoformer.applications.genes.caller import ORIGIN_MARGIN_BP, GeneFinder
from genoformer.applications.genes.passes import pass_records
from genoformer.bundle.folder import Bundle
from genoformer.decoding.caller import HOPELESS_ODDS, call_genes, record_stop_rate, unwrap_genes
from genoformer.decoding.candidates import find_candidates
from genoformer.decoding.options import CallOptions
from genoformer.errors import WarningLog
from genoformer.inference.interface import OnBases, Speed
from genoformer.inference.passes import ModelPasses
from genoformer.sequence.records import Record
from genoformer.stream import fitting_threads, wrap_circular
from genoformer.variants.alleles import Change
from genoformer.variants.found_genes import gene_changes, placed
from genoformer.variants.gene_windows import RecordReader
from genoformer.variants.interface import Genome, ModelSays, VariantOptions
from genoformer.variants.kept_logits import N_STRANDS, KeptLogits
from genoformer.variants.reach import reaches
from genoformer.variants.reports import GeneChange

FEW_BP = 65_536
"""A circular record of this length or less is looked at as a whole with every change: windows would meet themselves."""


@dataclass
class GeneVariants:
    """A model of genes; see ``variants.interface.VariantModel``.

    Attributes:
        finder: The model.
        options: What the user decides.
    """

    finder: Any
    options: VariantOptions
    _genome: Genome | None = None
    _passes: ModelPasses | None = None
    _statistics: Any = None
    _kept: KeptLogits | None = None
    _known: dict[str, list[Gene]] = field(default_factory=dict)

    find_with: ClassVar[type[Any]] = GeneFinder
    margin_bp: ClassVar[int] = 6_000
    """What is decoded at first on each side of a change."""

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed, options: VariantOptions) -> Self:
        """Make ready; DataError if the bundle has no decoder, UsageError if its outputs have no limited reach."""
        reaches(bundle.model, bundle.name)
        return cls(cls.find_with.from_bundle(bundle, speed), options)

    @property
    def precision(self) -> str:
        return self.finder.plan.precision

    def needed_bytes(self, n_bases: int) -> int:
        """Outputs of every base of both strands."""
        return n_bases * N_STRANDS * len(self.finder.channels) * np.dtype(np.float32).itemsize

    def prepare(self, genome: Genome, work: Path, on_bases: OnBases, warnings: WarningLog) -> None:
        """Genes and statistics of the reference, as a prediction finds them; see ``VariantModel``."""
        self._genome = genome
        kept = self._kept = KeptLogits(work, len(self.finder.channels))

        def records() -> Iterator[tuple[int, np.ndarray, CallOptions, None]]:
            for number, record in genome.read():
                kept.keeps_next = record.id in genome.asked
                yield number, record.codes, self.call_options(record), None

        def read() -> Iterator[tuple[np.ndarray, CallOptions]]:
            return ((record.codes, self.call_options(record)) for _, record in genome.read())

        with fitting_threads(genome.n_bases):
            self.finder = self.finder.following(read)
            self._passes = pass_records(self.finder, records(), work, on_bases, tracks=kept)
        passes = self._passes

        def passed() -> Iterator[tuple[np.ndarray, np.ndarray, CallOptions]]:
            for number, record in genome.read():
                yield record.codes, passes[number], self.call_options(record)

        self._statistics = self.finder.statistics(passed, CallOptions(genetic_code=self._code))

    def genes(self, number: int, record: Record) -> list[Gene]:
        """Genes of the reference with the ids that the files of a prediction give them; see ``VariantModel``."""
        if record.id not in self._known:
            rows = self._passes[number] if self._passes is not None else np.empty(0)
            found = self.finder.genes(record.id, record.codes, rows, self.call_options(record), self._statistics)
            for i, gene in enumerate(found, start=1):
                gene.id = gene_id(record.id, i)
            self._known = {record.id: found}
        return self._known[record.id]

    def judge(self, number: int, record: Record, changes: Sequence[Change]) -> Iterator[ModelSays]:
        """What becomes different about genes; see ``VariantModel``."""
        name, call = self._namer(number, record), self.call_options(record)
        with fitting_threads(self._genome.n_bases if self._genome else len(record)):
            if call.circular and len(record) <= FEW_BP:
                for change in changes:
                    yield ModelSays(tuple(self._judge_whole(record, call, change, name)))
                return
            opened = wrap_circular(record.codes, ORIGIN_MARGIN_BP) if call.circular else record.codes
            margin = (len(opened) - len(record)) // 2
            known = None if self._kept is None else self._kept.read(number, len(opened))
            gap = (changes[-1].start - changes[0].start) / len(changes)
            reader = self.reader(opened, call, known, gap)
            found = reader.judge(
                [change.shifted(margin) for change in changes],
                lambda gene: name(
                    gene.shifted(-margin) if gene.start >= margin else gene.shifted(len(record) - margin)
                ),
                self.options.min_change,
                self.margin_bp,
            )
            yield from (ModelSays(tuple(of_one)) for of_one in found)

    def reader(self, codes: np.ndarray, call: CallOptions, known: np.ndarray | None, gap_bp: float) -> RecordReader:
        """Reads a record, opened if it is circular; see ``RecordReader.of``."""
        bundle, decode = self.finder.bundle, self.decoder(codes, call)
        return RecordReader.of(codes, bundle.model, bundle.tokenizer, self.precision, decode, known, gap_bp)

    def decoder(self, codes: np.ndarray, call: CallOptions) -> Callable[..., list[Gene]]:
        """Decodes stretches of a record, with its composition and the genome's statistics."""
        rate = record_stop_rate(codes, call)
        return partial(decode_stretch, self.finder, call, self._statistics, rate)

    def call_options(self, record: Record) -> CallOptions:
        """Options of one record."""
        return CallOptions(genetic_code=self._code, circular=self.options.is_circular(record))

    @property
    def _code(self) -> int:
        return self.options.genetic_code or self.finder.bundle.config.genetic_code

    def _namer(self, number: int, record: Record) -> Callable[[Gene], str]:
        """Names genes by those of the annotation, else of the reference, that have the same 3′ end."""
        known = [*self.genes(number, record), *((self._genome.genes or {}).get(record.id, []) if self._genome else [])]
        names = {_end(gene, len(record)): gene.id or gene.locus_tag or gene.name for gene in known}

        def name(gene: Gene) -> str:
            place = f"{record.id}:{gene.start + 1}-{gene.end}{gene.strand}"
            return names.get(_end(gene, len(record)), "") or place

        return name

    def _judge_whole(
        self, record: Record, call: CallOptions, change: Change, name: Callable[[Gene], str]
    ) -> list[GeneChange]:
        """Of a short circular record: the whole changed record through the model."""
        codes = change.applied_to(record.codes)
        rate = record_stop_rate(self.finder.opened(record.codes, call), call)
        opened = self.finder.opened(codes, call)
        rows = self.finder.candidates(codes, call)
        found = call_genes(record.id, opened, rows, self.finder.decoder, call, self._statistics, rate)
        after = unwrap_genes(found, length=len(codes), margin=(len(opened) - len(codes)) // 2)
        before = self.genes(0, record)
        n = len(record)
        told = gene_changes(placed(before), placed(after, change, n), change, name, self.options.min_change, n)
        return [one for one, _ in told]


def decode_stretch(
    finder: GeneFinder, call: CallOptions, statistics: Any, stop_rate: float, codes: np.ndarray, logits: np.ndarray, *,
    is_first: bool, is_last: bool,
) -> list[Gene]:  # fmt: skip
    """Genes of a stretch of a record; see ``variants.gene_windows.Decode``.

    Args:
        finder: The model.
        call: Genetic code, shortest gene, gaps.
        statistics: Of the genome, or None.
        stop_rate: Of the record.
        codes: Of the stretch.
        logits: Of the stretch.
        is_first: It begins with the record.
        is_last: It ends with it.
    """
    rows = find_candidates(
        codes, logits, code=get_genetic_code(call.genetic_code), min_gene_bp=call.min_gene_bp, edge_left=is_first,
        edge_right=is_last, max_gap_bp=call.max_gap_bp,
    )  # fmt: skip
    if len(rows):
        rows = rows[finder.decoder.score(codes, rows, stop_rate).frame_odds > HOPELESS_ODDS]
    return call_genes("", codes, rows, finder.decoder, replace(call, circular=False), statistics, stop_rate)


def _end(gene: Gene, length: int) -> tuple[str, int]:
    """Strand and 3′ end, on the circle if there is one."""
    return gene.strand, (gene.end if gene.strand == "+" else gene.start) % length
