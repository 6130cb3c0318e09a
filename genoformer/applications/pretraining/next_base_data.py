"""The LightningDataModule of the causal language model: sequence files without labels."""

from pathlib import Path
from typing import Self

from genoformer.batches.collate import build_collate
from genoformer.batches.next_bases import NextBaseCrops, NextBaseTiles
from genoformer.errors import UsageError
from genoformer.genomes.prepare import GenomeFiles, find_sequences
from genoformer.nn.config import EncoderConfig
from genoformer.stream import TilePlan
from genoformer.training.labelled_data import as_list
from genoformer.training.settings import Loader, ModelReading, RegionSplit
from genoformer.training.store_data import StoreData, check_one_kind_of_genomes


class NextBaseData(StoreData):
    """Sequences as crops whose every base is told from those before it.

    Args:
        fasta: FASTA or GenBank file, or a list of them.
        genomes: Table of genomes instead, with a column fasta, and weight and group, which decide how many crops a
            genome gives (docs/training.md).
        store: A store of ``genoformer prepare`` instead.
        crop_bp: Longest crop in training, and length of a tile in validation.
        split: How regions are set apart for validation and test.
        loader: How crops become batches.

    Raises:
        UsageError: If a number is out of range, or genomes are given in two ways.
    """

    needs_genes = False

    def __init__(
        self,
        fasta: str | list[str] | None = None,
        genomes: str | None = None,
        store: str | None = None,
        crop_bp: int = 2048,
        split: RegionSplit = RegionSplit(),
        loader: Loader = Loader(batch_size=4, samples_per_epoch=2000),
    ) -> None:
        super().__init__(store, genomes, crop_bp=crop_bp, split=split, loader=loader)
        check_one_kind_of_genomes(genomes, fasta=fasta, store=store)
        self.fasta = as_list(fasta)

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Read as a model does; UsageError if its tokens overlap."""
        if reading.k != reading.stride:
            raise UsageError(
                "CONFIG-005", f"the task clm needs tokens that do not overlap, found k {reading.k} and stride "
                f"{reading.stride}.", where="model.stride", fix="Give both the same value.",
            )  # fmt: skip
        self.collate = build_collate(stride=reading.stride, n_global_tokens=0)
        return super().bind(reading, seed=seed, work_dir=work_dir)

    def check_model(self, encoder: EncoderConfig, plan: TilePlan) -> None:
        """UsageError if a token could look ahead, or tiles are longer than what the model reads."""
        check_looks_back(encoder)
        super().check_model(encoder, plan)

    def find_files(self) -> list[GenomeFiles]:
        """Sequence files."""
        return find_sequences(self.fasta)

    def training_set(self, world_size: int = 1) -> NextBaseCrops:
        """Crops of the training regions."""
        return NextBaseCrops(
            self.store, self.regions["train"], self.tokenizer, crop_bp=self.crop_bp, seed=self.seed,
            both_strands=self.both_strands, shares=self.training_shares(), n_rows=self.n_rows(world_size),
        )  # fmt: skip

    def evaluation_samples(self, part: str) -> NextBaseTiles:
        """Tiles of the regions of a part."""
        return NextBaseTiles(
            self.store, self.regions[part], self.tokenizer, crop_bp=self.crop_bp, both_strands=self.both_strands,
            n_rows=self.n_evaluation_rows(part),
        )  # fmt: skip


def check_looks_back(encoder: EncoderConfig) -> None:
    """Refuse encoders whose tokens see what stands behind them.

    Raises:
        UsageError: Naming the first setting that lets them.
    """
    ahead = {
        "attention.causal": (not getattr(encoder.attention, "causal", False), "true"),
        "attention.as_transformers": (encoder.sorts_ahead, "false"),
        "n_global_tokens": (encoder.n_global_tokens > 0, "0"),
        "conv_width": (encoder.conv_width > 0, "0"),
        "amino_acid_words": (encoder.amino_acid_words > 0, "0"),
        "base_embedding": (encoder.base_embedding, "false"),
    }
    for name, (is_wrong, wanted) in ahead.items():
        if is_wrong:
            raise UsageError(
                "CONFIG-024", f"the task clm needs {name} {wanted}: the next base must not be seen.",
                where=f"model.encoder.{name}", fix=f"Give {wanted}.",
            )  # fmt: skip
