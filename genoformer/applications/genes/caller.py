"""One record through a gene-structure bundle: the model pass, and the genes that follow from it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch

from genoformer.annotation.models import Gene
from genoformer.applications.genes.kept_tracks import ORIGIN_MARGIN_BP
from genoformer.applications.genes.predictions import GenePrediction, gene_presentation, predict_records
from genoformer.applications.genes.rna_profiles import read_profiles
from genoformer.bundle.folder import Bundle
from genoformer.decoding.caller import (
    Block,
    CodesAndCandidates,
    block_candidates,
    call_genes,
    candidates_of,
    chosen_genes,
    genome_statistics,
    hopeful,
    plan_blocks,
    unwrap_genes,
)
from genoformer.decoding.caller_of_many import choose_each, hopeful_each, statistics_each
from genoformer.decoding.decoder import GeneDecoder
from genoformer.decoding.masking import open_intervals, overlaps_mask
from genoformer.decoding.options import CallOptions
from genoformer.decoding.readings import candidate_dtype
from genoformer.decoding.rna.finder import RnaFinder
from genoformer.decoding.statistics import GenomeStatistics
from genoformer.inference.bundle_parts import read_decoder, tile_plan
from genoformer.inference.interface import Speed
from genoformer.inference.packing import read_together
from genoformer.inference.presentation import Presentation
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan, mostly_unknown, piece_ends, record_logits, wrap_circular


@dataclass(frozen=True)
class ReadRecord:
    """A record that was read with others.

    Attributes:
        outputs: Of its opened form, float32 [2, L, C].
        candidates: Those that could become genes.
    """

    outputs: np.ndarray
    candidates: np.ndarray


@dataclass(frozen=True)
class GeneFinder:
    """A bundle made ready to find genes.

    Attributes:
        bundle: A bundle of the task ``gene_structure``.
        decoder: Its decoder.
        plan: How sequence is cut into tiles and batches.
        rna: Profiles of RNA genes, where the bundle has some.
    """

    bundle: Bundle
    decoder: GeneDecoder
    plan: TilePlan
    rna: RnaFinder | None = None

    result_type: ClassVar[type[GenePrediction]] = GenePrediction

    @classmethod
    def from_bundle(cls, bundle: Bundle, speed: Speed = Speed()) -> Self:
        """Take tile, context and decoder from the bundle.

        Args:
            bundle: A bundle of the task ``gene_structure``.
            speed: Tiles per model call, and precision: what the machine is fast in if None.

        Raises:
            DataError: If the bundle is of another task, or has no decoder, or profiles that are none.
        """
        decoder = read_decoder(bundle, "gene_structure", GeneDecoder.from_dict, what="gene decoder")
        return cls(bundle, decoder, tile_plan(bundle, speed), read_profiles(bundle))

    @property
    def presentation(self) -> Presentation:
        """How results are shown."""
        return gene_presentation(self.channels)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the outputs per base."""
        return tuple(self.bundle.config.labels)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """What outputs mean: the probability of each channel, float32 of the same shape [..., C]."""
        return torch.sigmoid(torch.from_numpy(logits)).numpy()

    def predictions(
        self, read: Callable[[], Iterable[Record]], *, genetic_code: int | str | None = None,
        circular: bool | None = None,
        probabilities: bool = False,
    ) -> Iterator[GenePrediction]:  # fmt: skip
        """Genes of every record; the statistics of all records together count, as in ``genoformer predict``.

        Args:
            read: Gives the records, several times; one at a time is in memory.
            genetic_code: NCBI number, or "auto": 11 or 4 (25), whatever fits each record; the model's own if None.
            circular: All records are circular, or none is; None for those that the input calls so.
            probabilities: Keep what the model says of every base, too.
        """
        return predict_records(self, read, genetic_code=genetic_code, circular=circular, probabilities=probabilities)

    def candidates(
        self,
        codes: np.ndarray,
        options: CallOptions,
        on_bases: Callable[[int], None] = lambda n: None,
        masked: np.ndarray | None = None,
    ) -> np.ndarray:
        """The model pass of a whole record: every candidate gene; arguments as for ``block_candidates``."""
        found = self.block_candidates(codes, options, self.blocks(codes, options), on_bases, masked)
        return np.concatenate([np.empty(0, candidate_dtype(options)), *found])

    def blocks(self, codes: np.ndarray, options: CallOptions) -> list[Block]:
        """The blocks in which the model pass of a record can be done, in coordinates of its opened form."""
        opened = self.opened(codes, options)
        return list(plan_blocks(opened, piece_ends(len(opened), self.plan.tile_bp), options))

    def block_candidates(
        self,
        codes: np.ndarray,
        options: CallOptions,
        blocks: Sequence[Block],
        on_bases: Callable[[int], None] = lambda n: None,
        masked: np.ndarray | None = None,
        on_piece: Callable[[int, int, np.ndarray], None] | None = None,
        ready: ReadRecord | None = None,
    ) -> Iterator[np.ndarray]:
        """The model pass of neighbouring blocks: candidate genes in coordinates of the record's opened form.

        Args:
            codes: uint8 base codes of the record, forward strand, shape [L].
            options: Genetic codes, shortest gene, gaps, circular or not.
            blocks: Some of ``blocks()``, in order and without a gap; any division gives the same rows.
            on_bases: Called with the number of bases that were done since the last call.
            masked: Where no candidate may lie, see ``decoding.masking``: disjoint (start, end) in ascending order, in
                the record's own coordinates, int64 [N, 2].
            on_piece: Called with start, end and logits of each piece of the opened form, see ``kept_tracks``.
            ready: What ``read_together`` gave of the record, of which there is one block.

        Yields:
            Rows of ``candidate_dtype(options)`` for each block.
        """
        if not blocks or mostly_unknown(codes):
            on_bases(sum(block.end - block.begin for block in blocks))
            yield from (np.empty(0, candidate_dtype(options)) for _ in blocks)
            return
        opened = self.opened(codes, options)
        span = (blocks[0].begin, blocks[-1].end)

        def counted():
            for piece in record_logits(self.bundle.model, self.bundle.tokenizer, opened, self.plan, span=span):
                on_bases(piece[1] - piece[0])
                if on_piece is not None:
                    on_piece(*piece)
                yield piece

        if masked is not None and options.circular:
            masked = open_intervals(masked, length=len(codes), margin=(len(opened) - len(codes)) // 2)
        if ready is None:
            found = block_candidates(opened, counted(), blocks, options, hopeful(self.decoder, opened, options))
        else:
            on_bases(len(opened))
            if on_piece is not None:
                on_piece(0, len(opened), ready.outputs)
            found = iter([ready.candidates])
        for rows in found:
            yield rows if masked is None else rows[~overlaps_mask(rows["start"], rows["end"], masked)]

    def read_together(
        self, records: Sequence[tuple[np.ndarray, CallOptions]], wanted: Sequence[bool]
    ) -> list[ReadRecord | None]:
        """The model pass of short records, for ``block_candidates``; None for others, see ``inference.packing``.

        Args:
            records: Base codes and options of each.
            wanted: Whose outputs are wanted.
        """
        sequences = [self.opened(codes, options) for codes, options in records]
        outputs = read_together(self.bundle.model, self.bundle.tokenizer, sequences, self.plan, wanted)
        found: list[ReadRecord | None] = [None] * len(records)
        read = [(i, logits) for i, logits in enumerate(outputs) if logits is not None]
        whole = ((i, logits, Block(0, len(sequences[i]), 0, len(sequences[i]))) for i, logits in read)
        rows = [(sequences[i], candidates_of(sequences[i], logits, one, records[i][1])) for i, logits, one in whole]
        kept = hopeful_each([(*row, records[i][1]) for row, (i, _) in zip(rows, read, strict=True)], self.decoder)
        for (i, logits), candidates in zip(read, kept, strict=True):
            found[i] = ReadRecord(logits, candidates)
        return found

    def following(self, read: Callable[[], Iterable[tuple[np.ndarray, CallOptions]]]) -> Self:
        """The same: genes without introns follow the genome behind the model pass, by ``statistics``."""
        return self

    @property
    def learned(self) -> dict[str, int] | None:
        """Nothing before the model pass: statistics of the genome come behind it, see ``statistics``."""
        return None

    def statistics(
        self, records: Callable[[], Iterable[tuple[np.ndarray, np.ndarray, CallOptions]]], options: CallOptions
    ) -> GenomeStatistics | None:
        """Statistics of the genome that the records make up; None where there is too little of it, or no use for them.

        Args:
            records: Gives base codes, candidates and options of every record, each time it is called.
            options: Of the prediction.
        """

        if self.decoder.adapted is None:
            return None

        def opened() -> CodesAndCandidates:
            return ((self.opened(codes, own), candidates, own) for codes, candidates, own in records())

        return genome_statistics(opened, self.decoder, options)

    def genes(
        self,
        record_id: str,
        codes: np.ndarray,
        candidates: np.ndarray,
        options: CallOptions,
        statistics: GenomeStatistics | None = None,
    ) -> list[Gene]:
        """Genes of a record from its candidates, in the record's own coordinates."""
        opened = self.opened(codes, options)
        genes = call_genes(record_id, opened, candidates, self.decoder, options, statistics)
        if not options.circular:
            return genes
        return unwrap_genes(genes, length=len(codes), margin=(len(opened) - len(codes)) // 2)

    def statistics_each(
        self, records: Sequence[tuple[np.ndarray, np.ndarray, CallOptions]]
    ) -> list[GenomeStatistics | None]:
        """``statistics`` of each record as a genome of its own.

        Args:
            records: Base codes, candidates and options of each.
        """
        if self.decoder.adapted is None or not records:
            return [None] * len(records)
        opened = [(self.opened(codes, own), candidates, own) for codes, candidates, own in records]
        return statistics_each(opened, self.decoder)

    def genes_of_each(
        self, ids: Sequence[str], records: Sequence[tuple[np.ndarray, np.ndarray, CallOptions]],
        statistics: Sequence[GenomeStatistics | None],
    ) -> list[list[Gene]]:  # fmt: skip
        """``genes`` of each record; arguments as for ``statistics_each``."""
        opened = [(self.opened(codes, own), candidates, own) for codes, candidates, own in records]
        choices = choose_each(opened, self.decoder, statistics)
        found = []
        for name, (codes, _, _), (read, rows, own), choice, known in zip(
            ids, records, opened, choices, statistics, strict=True
        ):
            genes = chosen_genes(name, read, rows, choice, self.decoder, own, known)
            margin = (len(read) - len(codes)) // 2
            found.append(unwrap_genes(genes, length=len(codes), margin=margin) if own.circular else genes)
        return found

    def opened(self, codes: np.ndarray, options: CallOptions) -> np.ndarray:
        """What the model reads of a record: a circular one with ``ORIGIN_MARGIN_BP`` repeated on both sides."""
        return wrap_circular(codes, ORIGIN_MARGIN_BP) if options.circular else codes
