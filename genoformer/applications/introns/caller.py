"""One record through a bundle for genes with introns: the model pass, the path, and the genes on it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import torch

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.models import Gene
from genoformer.applications.genes.predictions import GenePrediction, gene_presentation, predict_records
from genoformer.applications.genes.request import check_isoforms
from genoformer.applications.introns.follow import Read, ReadBefore, learn_counts, read_sample
from genoformer.applications.introns.parts import genes_of_parts, part_margins, site_margins
from genoformer.bundle.folder import Bundle
from genoformer.decoding.caller import Block
from genoformer.decoding.introns.stream import PART_DTYPE, decode_record
from genoformer.decoding.introns.weights import IntronDecoder
from genoformer.decoding.masking import overlaps_mask
from genoformer.decoding.options import CallOptions
from genoformer.errors import UsageError
from genoformer.inference.bundle_parts import read_decoder, tile_plan
from genoformer.inference.interface import Speed
from genoformer.inference.packing import read_together
from genoformer.inference.presentation import Presentation
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.sequence.records import Record
from genoformer.stream import Piece, TilePlan, mostly_unknown, record_logits
from genoformer.tasks import gene_structure_eukaryote

TASK = "gene_structure_eukaryote"
MAPS = {"confidence": "confidence", "genes": "gene_confidence", "parts": "part_confidence", "sites": "site_confidence"}
"""What a decoder's maps to probabilities are called in ``calibration.json``; those of before have the first alone."""


@dataclass(frozen=True)
class CalibratedDecoder:
    """The decoder of a bundle.

    Attributes:
        decoder: Weights and lengths.
        confidence: From the log-odds of a gene to the probability that all its coding parts are right; None without.
        genes: To the same from the smallest margin of the gene's ends, which says more of genes with many parts; None
            without.
        parts: From the smaller margin of a coding part's two ends to the probability that both are right; None without.
        sites: From the margin of a splice site to the probability that it is right; None without.
    """

    decoder: IntronDecoder
    confidence: IsotonicCalibrator | None = None
    genes: IsotonicCalibrator | None = None
    parts: IsotonicCalibrator | None = None
    sites: IsotonicCalibrator | None = None

    def to_dict(self) -> dict:
        """JSON types."""
        maps = {name: getattr(self, name) for name in MAPS}
        return {**self.decoder.to_dict(), **{MAPS[name]: one and one.to_dict() for name, one in maps.items()}}

    @classmethod
    def from_dict(cls, stored: dict) -> "CalibratedDecoder":
        """Read what ``to_dict`` wrote; KeyError, TypeError or ValueError if it is something else."""
        maps = {name: stored["confidence"] if name == "confidence" else stored.get(MAPS[name]) for name in MAPS}
        read = {name: IsotonicCalibrator.from_dict(one) if one else None for name, one in maps.items()}
        return cls(IntronDecoder.from_dict(stored), **read)


@dataclass(frozen=True)
class IntronGeneFinder:
    """A bundle made ready to find genes with introns; used as ``gene_calls.GeneFinder`` is.

    Attributes:
        bundle: A bundle of the task ``gene_structure_eukaryote``.
        decoder: Its decoder.
        plan: How sequence is cut into tiles and batches.
        read_before: Records that the model has read already, to follow the genome.
    """

    bundle: Bundle
    decoder: CalibratedDecoder
    plan: TilePlan
    read_before: ReadBefore = field(default_factory=ReadBefore, compare=False)

    result_type: ClassVar[type[GenePrediction]] = GenePrediction

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed = Speed()) -> Self:
        """Take tile, context and decoder from the bundle; arguments as for ``GeneFinder.from_bundle``.

        Raises:
            DataError: If the bundle is of another task, or has no decoder.
        """
        what = "decoder for genes with introns"
        decoder = read_decoder(bundle, TASK, CalibratedDecoder.from_dict, what=what)
        return cls(bundle, decoder, tile_plan(bundle, speed))

    @property
    def presentation(self) -> Presentation:
        """How results are shown."""
        return gene_presentation(self.channels)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the outputs per base."""
        return tuple(self.bundle.config.labels)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """What outputs mean: states exclude each other, signals do not; float32 of the same shape [..., 12]."""
        outputs, n_states = torch.from_numpy(logits), len(gene_structure_eukaryote.states)
        return torch.cat([outputs[..., :n_states].softmax(-1), outputs[..., n_states:].sigmoid()], -1).numpy()

    def predictions(
        self, read: Callable[[], Iterable[Record]], *, genetic_code: int | None = None, probabilities: bool = False,
        isoforms: int = 1,
    ) -> Iterator[GenePrediction]:  # fmt: skip
        """Genes of every record; arguments as for ``GeneFinder.predictions``, but for a code that is to be found.

        Args:
            read: See there.
            genetic_code: NCBI number; the model's own if None.
            probabilities: See there.
            isoforms: Transcripts of a gene, at most; see ``decoding.introns.alternatives``.

        Raises:
            UsageError: If there is no such genetic code, or no transcript is asked for.
        """
        check_isoforms(isoforms, "isoforms")
        code = None if genetic_code is None else get_genetic_code(genetic_code).number
        return predict_records(
            self, read, genetic_code=code, circular=False, probabilities=probabilities, isoforms=isoforms
        )

    def candidates(
        self,
        codes: np.ndarray,
        options: CallOptions,
        on_bases: Callable[[int], None] = lambda n: None,
        masked: np.ndarray | None = None,
        on_piece: Callable[[int, int, np.ndarray], None] | None = None,
        outputs: np.ndarray | None = None,
    ) -> np.ndarray:
        """The model pass and the best path: coding parts of every gene, rows of ``PART_DTYPE``.

        Args:
            codes: uint8 base codes, forward strand, shape [L].
            options: Genetic code, shortest gene, gaps.
            on_bases: Called with the number of bases that were done since the last call.
            masked: Genes with a coding part in one of these intervals are left out, and so are alternative transcripts;
                see ``decoding.masking``.
            on_piece: Called with start, end and logits of each piece.
            outputs: Of the record, where it was read already: from ``read_together``.

        Raises:
            UsageError: For a circular record.
        """
        if options.circular:
            message = "genes with introns are found on linear records only."
            raise UsageError("CIRCULAR-002", message, fix="Use --circular none.")
        if mostly_unknown(codes):
            on_bases(len(codes))
            return np.empty(0, PART_DTYPE)

        def read() -> Iterator[Piece]:
            if outputs is not None:
                return iter([(0, len(codes), outputs)])
            if (known := self.read_before.of(codes)) is not None:
                return known.pieces()
            return record_logits(self.bundle.model, self.bundle.tokenizer, codes, self.plan)

        def counted():
            for piece in read():
                on_bases(piece[1] - piece[0])
                if on_piece is not None:
                    on_piece(*piece)
                yield piece

        pieces = counted()
        code = get_genetic_code(options.genetic_code)
        parts = decode_record(
            codes, pieces, self.decoder.decoder, code,
            max_gap_bp=options.max_gap_bp, hints=options.hints, margins=self._needs_margins,
            transcripts=options.isoforms,
        )  # fmt: skip
        for _ in pieces if on_piece is not None else ():
            pass  # the path ends before unknown bases at the end, the outputs do not
        if masked is None or not len(parts):
            return parts
        hit = overlaps_mask(parts["start"], parts["end"], masked)
        transcripts = parts["gene"].astype(np.int64) << 32 | parts["transcript"]
        genes_hit = parts["gene"][hit & (parts["transcript"] == 0)]
        return parts[~np.isin(transcripts, transcripts[hit]) & ~np.isin(parts["gene"], genes_hit)]

    def blocks(self, codes: np.ndarray, options: CallOptions) -> list[Block]:
        """One block for a record: its path is found as a whole."""
        return [Block(0, len(codes), 0, len(codes))]

    def block_candidates(
        self,
        codes: np.ndarray,
        options: CallOptions,
        blocks: Sequence[Block],
        on_bases: Callable[[int], None] = lambda n: None,
        masked: np.ndarray | None = None,
        on_piece: Callable[[int, int, np.ndarray], None] | None = None,
        ready: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """``candidates`` of the one block there is; arguments as for ``GeneFinder.block_candidates``."""
        for _ in blocks:
            yield self.candidates(codes, options, on_bases, masked, on_piece, ready)

    def read_together(
        self, records: Sequence[tuple[np.ndarray, CallOptions]], wanted: Sequence[bool]
    ) -> list[np.ndarray | None]:
        """Outputs of short records; arguments as for ``GeneFinder.read_together``."""
        if self.read_before:  # then all of them were read
            return [None] * len(records)
        sequences = [codes for codes, _ in records]
        return read_together(self.bundle.model, self.bundle.tokenizer, sequences, self.plan, wanted)

    def following(self, read: Read) -> Self:
        """The same for the genome at hand: its decoder knows splice sites, starts and codons of its own genes there.

        Args:
            read: Gives the records; called twice.
        """
        decoder = self.decoder.decoder
        if decoder.motifs is None or not decoder.weights.follows:
            return self
        stretches = read_sample(self.bundle.model, self.bundle.tokenizer, self.plan, read)
        following = replace(self.decoder, decoder=decoder.following(learn_counts(decoder, stretches)))
        return replace(self, decoder=following, read_before=ReadBefore(stretches))

    @property
    def _needs_margins(self) -> bool:
        """Whether anything is made of them: bundles of before have no maps, and say nothing of home."""
        maps = (self.decoder.genes, self.decoder.parts, self.decoder.sites)
        return "codon_evidence" in self.bundle.calibration or any(one is not None for one in maps)

    @property
    def learned(self) -> dict[str, int] | None:
        """What it follows: bases that were looked at, genes and introns found there; None where it follows nothing."""
        motifs = self.decoder.decoder.motifs
        own = None if motifs is None else motifs.own
        return None if own is None else {"bases": own.bases, "genes": own.genes, "introns": int(own.introns)}

    def statistics(self, records: object, options: CallOptions) -> None:
        """Nothing that genes are chosen by: they are found by a decoder that follows the genome, see ``following``."""

    def genes(
        self, record_id: str, codes: np.ndarray, candidates: np.ndarray, options: CallOptions, statistics: object = None
    ) -> list[Gene]:
        """Genes from their coding parts; those shorter than ``options.min_gene_bp`` are left out, and so are
        alternatives."""
        found = [with_scores(gene, rows, self.decoder) for gene, rows in genes_of_parts(record_id, candidates)]
        for gene in found:
            gene.alternatives = tuple(one for one in gene.alternatives if one.length_bp >= options.min_gene_bp)
        return [gene for gene in found if gene.length_bp >= options.min_gene_bp]


def with_scores(gene: Gene, rows: np.ndarray, decoder: CalibratedDecoder) -> Gene:
    """A gene with what its rows say of it, as probabilities where the decoder has maps to them.

    Args:
        gene: Changed.
        rows: Its rows of ``PART_DTYPE``.
        decoder: Has the maps.
    """
    if decoder.confidence is not None:
        gene.score = float(decoder.confidence.apply(rows["score"][:1])[0])
    if np.isfinite(rows["codon_evidence"][0]):
        gene.codon_evidence = float(rows["codon_evidence"][0])
    margins = part_margins(rows)
    if decoder.genes is not None and np.isfinite(margins).all():
        gene.score = float(decoder.genes.apply(margins.min(keepdims=True))[0])
    if decoder.parts is not None and np.isfinite(margins).all():
        gene.part_scores = tuple(decoder.parts.apply(margins).tolist())
    if decoder.sites is not None and np.isfinite(margins).all():
        low, high = (_known(decoder.sites, column) for column in site_margins(rows).T)
        gene.site_scores = tuple(zip(low, high, strict=True))
    return gene


def _known(calibrator: IsotonicCalibrator, margins: np.ndarray) -> list[float | None]:
    """Probabilities, None for margins that are not finite."""
    scores = calibrator.apply(np.where(np.isfinite(margins), margins, 0.0)).tolist()
    return [score if there else None for score, there in zip(scores, np.isfinite(margins).tolist(), strict=True)]
