"""Genes of the toy task: stretches in which the mean output is above a threshold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.applications.genes.predictions import GenePrediction, gene_presentation, predict_records
from genoformer.decoding.caller import Block
from genoformer.inference.bundle_parts import read_decoder, tile_plan
from genoformer.inference.interface import Speed
from genoformer.stream import record_logits

ISLAND_DTYPE = np.dtype([("start", "i8"), ("end", "i8"), ("strand", "i1")])
WINDOW_BP = 30


@dataclass(frozen=True)
class Threshold:
    """The decoder."""

    logit: float

    def to_dict(self) -> dict:
        return {"logit": self.logit}

    @classmethod
    def from_dict(cls, stored: dict) -> "Threshold":
        return cls(float(stored["logit"]))


@dataclass(frozen=True)
class IslandFinder:
    """A bundle made ready."""

    bundle: object
    decoder: Threshold
    plan: object

    result_type = GenePrediction
    channels = ("islands",)
    learned = None

    @property
    def presentation(self):
        return gene_presentation(self.channels)

    @classmethod
    def from_bundle(cls, bundle, speed: Speed = Speed()):
        decoder = read_decoder(bundle, "islands", Threshold.from_dict, what="threshold")
        return cls(bundle, decoder, tile_plan(bundle, speed))

    def following(self, read):
        return self

    def predictions(self, read, *, genetic_code=None):
        return predict_records(self, read, genetic_code=genetic_code, circular=False)

    def candidates(self, codes, options, on_bases: Callable = lambda n: None, masked=None) -> np.ndarray:
        pieces = [piece for _, _, piece in record_logits(self.bundle.model, self.bundle.tokenizer, codes, self.plan)]
        on_bases(len(codes))
        rows = []
        for strand, logits in zip((1, -1), np.concatenate(pieces, axis=1)[..., 0], strict=True):
            smooth = np.convolve(logits, np.ones(WINDOW_BP) / WINDOW_BP, mode="same")
            inside = np.flatnonzero(np.diff(np.r_[0, smooth > self.decoder.logit, 0]))
            rows += [(int(a), int(b), strand) for a, b in inside.reshape(-1, 2)]
        return np.array(sorted(rows), ISLAND_DTYPE)

    def blocks(self, codes, options) -> list[Block]:
        return [Block(0, len(codes), 0, len(codes))]

    def block_candidates(self, codes, options, blocks, on_bases=lambda n: None, masked=None) -> Iterator[np.ndarray]:
        for _ in blocks:
            yield self.candidates(codes, options, on_bases)

    def statistics(self, records, options) -> None:
        return None

    def genes(self, record_id, codes, candidates, options, statistics=None) -> list[Gene]:
        found = []
        for start, end, strand in candidates.tolist():
            end -= (end - start) % 3
            if end - start >= options.min_gene_bp:
                found.append(Gene(record_id, start, end, "+" if strand == 1 else "-", parts=((start, end),), score=0.5))
        return found
