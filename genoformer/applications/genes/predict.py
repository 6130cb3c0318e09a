"""Genes of FASTA files: model pass, statistics of the genome, genes and their files; each streams record by record."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.genes.code_choices import CodeChoices, CodeTally
from genoformer.applications.genes.impression import Impression
from genoformer.applications.genes.kept_tracks import KeptTracks
from genoformer.applications.genes.outputs import BYTES_PER_VALUE, PROBABILITIES
from genoformer.applications.genes.passes import Keeps, pass_records
from genoformer.applications.genes.request import GeneRequest, genome_scan
from genoformer.applications.genes.rna_genes import RnaGenes, RnaTally, profiles_of, without_rna
from genoformer.bundle.folder import Bundle
from genoformer.decoding.options import CallOptions
from genoformer.decoding.rna.call import RnaCall
from genoformer.errors import WarningLog
from genoformer.inference.formats import MakeWriter, RecordFiles
from genoformer.inference.interface import OnBases, Speed, Written
from genoformer.inference.packing import in_groups
from genoformer.inference.passes import ModelPasses, read_learned, write_learned
from genoformer.inference.reading import Scan
from genoformer.inference.tracks import STRANDS, Track, TrackStore
from genoformer.sequence.records import Record
from genoformer.stream import fitting_threads

FEW_RECORDS = 5
"""Of a finished genome; a draft or a metagenome has contigs that end anywhere."""
Finder = Any
"""``caller.GeneFinder``, or what has its methods."""
Passed = tuple[np.ndarray, np.ndarray, CallOptions]
"""Base codes, candidates and options of a record."""


class NoFunctions:
    """A context manager with the methods of ``functions.GeneFunctions``, for genes alone: it writes nothing.

    Args:
        out: Output folder.
    """

    makers: ClassVar[Mapping[str, MakeWriter]] = {}

    def __init__(self, out: Path) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> bool | None:
        return None

    def add(self, record_id: str, codes: np.ndarray, genes: list[Gene]) -> None:
        """Leave the genes as they are."""

    def write_terms(self) -> list[str]:
        """Names of more files: none."""
        return []

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says of functions."""
        return {}


@dataclass(frozen=True)
class CalledRecord:
    """A record with its genes.

    Attributes:
        number: In the input.
        record: As it was read.
        codes: What is looked at of it, uint8 [L].
        call: Its options.
        genes: In coordinates of what is looked at, like all that follows.
        rna: Its RNA genes.
        has_own: There were enough genes in it for statistics of its own.
    """

    number: int
    record: Record
    codes: np.ndarray
    call: CallOptions
    genes: list[Gene]
    rna: list[RnaCall]
    has_own: bool


@dataclass(frozen=True)
class GenePredictor:
    """A request and its model; see ``inference.interface.Predictor``.

    Attributes:
        request: What to do.
        finder: The model.
        functions: Says what the genes do, too: makes ``functions.GeneFunctions`` for an output folder.
    """

    request: GeneRequest
    finder: Finder
    functions: Callable[[Path], Any] = NoFunctions

    find_with: ClassVar[type[Any]] = GeneFinder

    @classmethod
    def from_bundle(
        cls, request: GeneRequest, bundle: Bundle, speed: Speed, functions: Callable[[Path], Any] = NoFunctions
    ) -> Self:
        """Make ready; DataError if the bundle is of another task, or has no decoder."""
        return cls(request, cls.find_with.from_bundle(bundle, speed), functions)

    @property
    def precision(self) -> str:
        return self.finder.plan.precision

    def check(self, scan: Scan) -> None:
        """Records of any length are read."""

    def run_passes(
        self, paths: list[str], scan: Scan, folder: Path, on_bases: OnBases, share: range | None = None
    ) -> None:
        """Candidates of all records, kept in files; see ``interface.Predictor``."""
        reading, known, shift = self.request.reading, genome_scan(scan), self._first
        records = (
            (
                number,
                reading.stretch(record),
                replace(self.request.call_options(record), hints=known.hints.of(record.id, shift)),
                known.mask.of(record.id) - shift,
            )
            for number, record in reading.records(paths)
        )
        with fitting_threads(scan.n_bases):  # of the whole input, so that shards compute as one run does
            finder = self._ready(paths)
            pass_records(finder, records, folder, on_bases, share, self._keeps(folder, shift))
        write_learned(folder, finder.learned)

    def _keeps(self, folder: Path, shift: int) -> Keeps | None:
        """What keeps outputs of bases; None where nobody asks for them."""
        return KeptTracks.in_folder(self.finder, folder, shift) if self._words(PROBABILITIES) else None

    def _ready(self, paths: list[str]) -> Finder:
        """The finder for this genome."""
        request = self.request
        if not request.statistics or request.metagenome:
            return self.finder

        def read() -> Iterator[tuple[np.ndarray, CallOptions]]:
            for _, record in request.reading.records(paths):
                yield request.reading.stretch(record), request.call_options(record)

        return self.finder.following(read)

    def write(self, paths: list[str], scan: Scan, out: Path, folders: list[Path], warnings: WarningLog) -> Written:
        """Statistics of the genome, genes and their files; see ``interface.Predictor``."""
        with fitting_threads(scan.n_bases):
            return self._write(paths, scan, out, folders, warnings)

    def _write(self, paths: list[str], scan: Scan, out: Path, folders: list[Path], warnings: WarningLog) -> Written:
        request, passes = self.request, ModelPasses(*folders)
        profiles = profiles_of(self.finder)
        rna, n_rna = RnaGenes(profiles, self._first), RnaTally(profiles is not None)
        choices, n_codes = CodeChoices(self.finder), CodeTally(request.call)
        shared = self._statistics(paths, passes, rna, choices)
        impression, n_statistics, counts = Impression(), int(shared is not None and shared.are_own), GeneTally(request)
        notes = self.functions(out)
        files = RecordFiles(out, self._words("genes"), request.known_formats.load(), notes.makers)
        tracks, store = self._track_files(out), TrackStore(*folders)
        with files, notes, tracks:
            for called in self._called(paths, passes, rna, shared, choices):
                record, codes, call, genes = called.record, called.codes, called.call, called.genes
                n_statistics += called.has_own
                n_codes.add(record.id, call.genetic_code)
                impression.add(codes, genes)
                is_asked = "auto" in request.circular and request.reading.region is None
                if is_asked and scan.n_records <= FEW_RECORDS and not call.circular:
                    impression.note_ends(record.id, len(record), genes, warnings)
                notes.add(record.id, codes, genes)
                placed = counts.add(request.placed(genes))
                found = n_rna.add(rna.placed(record.id, called.rna, call.genetic_code))
                files.add(record, placed, circular=call.circular, genetic_code=call.genetic_code, **found)
                track = Track(store, called.number, self._first, self._first + len(codes))
                tracks.add(record, track)
                for report in files.reports if self._words(PROBABILITIES) else ():
                    report.add_track(track, self.finder.channels)
        familiar = impression.familiarity(self.finder.bundle.calibration.get("codon_evidence"))
        impression.warn(familiar, None if request.call.other_code else request.call.genetic_code, warnings)
        left_out = files.left_out(warnings)
        statistics = genome_statistics(n_statistics, read_learned(folders), is_mixture=request.metagenome)
        counted = counts.summary(scan.n_bases) | n_codes.summary() | n_rna.summary()
        summary = self._about(scan) | counted | statistics | familiar
        adaptation = self._adaptation()
        summary |= {} if adaptation is None else {"adaptation": adaptation}
        summary |= {"left_out": left_out} if left_out else {}
        names = [*files.names, *tracks.names, *notes.write_terms()]
        return Written(summary | notes.summary(), names, {"batch_size": self.finder.plan.batch_size}, files.reports)

    def _called(
        self, paths: list[str], passes: ModelPasses, rna: RnaGenes, shared: Any, choices: CodeChoices
    ) -> Iterator[CalledRecord]:
        """Genes of every record, in the order of the input; short records are decided together.

        Args:
            paths: The input.
            passes: Candidates of every record.
            rna: RNA genes of every record.
            shared: Statistics of all records together, if there are any.
            choices: The genetic code of every record.
        """
        request, finder = self.request, self.finder
        has_own = request.statistics and request.metagenome
        found = request.reading.records(paths)
        for group in in_groups((numbered, len(numbered[1])) for numbered in found):
            read = [(request.reading.stretch(record), request.call_options(record)) for _, record in group]
            calls = [rna.calls(number, *each) for (number, _), each in zip(group, read, strict=True)]
            passed = [
                (codes, *choices.read(number, codes, without_rna(passes[number], own, codes, call), call))
                for (number, _), (codes, call), own in zip(group, read, calls, strict=True)
            ]
            known = statistics_each(finder, passed) if has_own else [shared] * len(group)
            genes = genes_of_each(finder, [record.id for _, record in group], passed, known)
            for (number, record), (codes, _, call), rna_calls, one, own in zip(
                group, passed, calls, genes, known, strict=True
            ):
                is_own = has_own and own is not None and own.are_own
                yield CalledRecord(number, record, codes, call, one, rna_calls, is_own)

    def needed_bytes(self, scan: Scan) -> tuple[int, int]:
        """What probabilities of every base take: of the work folder, and of files; see ``interface.Predictor``."""
        words = self._words(PROBABILITIES)
        n_values = scan.n_bases * len(STRANDS) * len(self.finder.channels) if words else 0
        return n_values, round(n_values * sum(BYTES_PER_VALUE[word] for word in words))

    @property
    def _first(self) -> int:
        """First base of a record that is looked at."""
        return self.request.reading.region[1] if self.request.reading.region else 0

    def _words(self, needed: str) -> list[str]:
        """Formats whose writers are given this."""
        rows = self.request.known_formats.load()
        return [word for word in self.request.formats if rows[word].needs == needed]

    def _track_files(self, out: Path) -> RecordFiles:
        """Files of probabilities; none of them where none are asked for."""
        words, rows = self._words(PROBABILITIES), self.request.known_formats.load()
        makers = {word: partial(rows[word].writer.load(), channels=self.finder.channels) for word in words}
        return RecordFiles(out, words, rows, makers)

    def _statistics(self, paths: list[str], passes: ModelPasses, rna: RnaGenes, choices: CodeChoices) -> Any:
        """Statistics of all records together; None where each has its own, or none is wanted."""
        request = self.request
        if not request.statistics or request.metagenome:
            return None

        def passed() -> Iterator[tuple[np.ndarray, np.ndarray, CallOptions]]:
            for number, record in request.reading.records(paths):
                codes, call = request.reading.stretch(record), request.call_options(record)
                own = rna.calls(number, codes, call, keep=True)
                rows = without_rna(passes[number], own, codes, call)
                yield codes, *choices.read(number, codes, rows, call)

        return self.finder.statistics(passed, request.call)

    def _adaptation(self) -> dict[str, Any] | None:
        return self.finder.bundle.calibration.get("adaptation") if self.request.adaptation else None

    def _about(self, scan: Scan) -> dict[str, Any]:
        bundle, adaptation = self.finder.bundle, self._adaptation()
        model = {"model": bundle.name if adaptation is None else adaptation["model"], "model_digest": bundle.digest}
        return {"task": bundle.config.task, **model, **scan.summary()}


def statistics_each(finder: Finder, passed: list[Passed]) -> list[Any]:
    """Statistics of each record as a genome of its own; of a finder that has no look at many, one by one."""
    if hasattr(finder, "statistics_each"):
        return finder.statistics_each(passed)
    return [finder.statistics(lambda one=one: [one], one[2]) for one in passed]


def genes_of_each(finder: Finder, ids: list[str], passed: list[Passed], statistics: list[Any]) -> list[list[Gene]]:
    """Genes of each record; of a finder that has no look at many, one by one."""
    if hasattr(finder, "genes_of_each"):
        return finder.genes_of_each(ids, passed, statistics)
    return [finder.genes(name, *one, own) for name, one, own in zip(ids, passed, statistics, strict=True)]


def genome_statistics(n_own: int, learned: dict[str, int] | None, *, is_mixture: bool) -> dict[str, Any]:
    """What ``summary.json`` says of what was learned of the genome at hand.

    Args:
        n_own: In how many records (1 for all together) there were genes enough.
        learned: By a decoder that follows the genome, from a sample; None for others.
        is_mixture: Each record was a genome of its own.
    """
    if is_mixture or learned is None:
        return {"genome_statistics": n_own if is_mixture else bool(n_own)}
    return {"genome_statistics": learned["genes"] > 0, "followed": learned}


class GeneTally:
    """Counts genes, and gives them their locus tags.

    Args:
        request: Has the prefix of the tags.
    """

    def __init__(self, request: GeneRequest) -> None:
        self._request = request
        self.n_genes = self.n_transcripts = self.n_partial = self.coding_bp = 0

    def add(self, genes: list[Gene]) -> list[Gene]:
        """Count the genes of one record; gives the same genes, with tags where these are wanted."""
        for gene in genes:
            self.n_genes += 1
            self.n_transcripts += len(gene.transcripts)
            self.n_partial += gene.partial_5 or gene.partial_3
            self.coding_bp += gene.length_bp
            if self._request.locus_tag:
                for transcript in gene.transcripts:
                    transcript.locus_tag = f"{self._request.locus_tag}_{self.n_genes:05d}"
        return genes

    def summary(self, n_bases: int) -> dict[str, Any]:
        """What ``summary.json`` says."""
        return {
            "n_genes": self.n_genes,
            **({"n_transcripts": self.n_transcripts} if self._request.call.isoforms > 1 else {}),
            "n_partial": self.n_partial,
            "coding_share": round(self.coding_bp / max(n_bases, 1), 4),
            "genetic_code": self._request.call.genetic_code,
        }
