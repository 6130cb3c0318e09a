"""The LightningDataModule of the masked language model: sequence files without labels."""

from pathlib import Path
from typing import Self

from genoformer.batches.collate import build_collate
from genoformer.batches.masked_crops import MaskedCrops, MaskedTiles
from genoformer.errors import UsageError
from genoformer.genomes.prepare import GenomeFiles, find_sequences
from genoformer.training.labelled_data import as_list
from genoformer.training.settings import Loader, ModelReading, RegionSplit
from genoformer.training.store_data import StoreData, check_one_kind_of_genomes

RUNS_BP = (1, 2, 4, 6, 9)


class PretrainingData(StoreData):
    """Sequences as crops with hidden bases.

    Args:
        fasta: FASTA or GenBank file, or a list of them.
        genomes: Table of genomes instead, with a column fasta, and weight and group, which decide how many crops a
            genome gives (docs/training.md).
        store: A store of ``genoformer prepare`` instead.
        crop_bp: Longest crop in training, and length of a tile in validation.
        split: How regions are set apart for validation and test.
        loader: How crops become batches.
        hidden: Share of the bases that are hidden, in runs at least 2 k apart.
        run_bp: Lengths of the runs in training, drawn evenly; by default 1, 2, 4, 6 and 9.
        validation_run_bp: Length of the runs in validation and test; all of these are masked.

    Raises:
        UsageError: If a number is out of range, or genomes are given in two ways.
    """

    needs_genes = False

    def __init__(
        self,
        fasta: str | list[str] | None = None,
        genomes: str | None = None,
        store: str | None = None,
        crop_bp: int = 6144,
        split: RegionSplit = RegionSplit(),
        loader: Loader = Loader(batch_size=4, samples_per_epoch=2000),
        hidden: float = 0.15,
        run_bp: list[int] | None = None,
        validation_run_bp: int = 1,
    ) -> None:
        super().__init__(store, genomes, crop_bp=crop_bp, split=split, loader=loader)
        check_one_kind_of_genomes(genomes, fasta=fasta, store=store)
        self.fasta, self.hidden = as_list(fasta), hidden
        self.run_bp, self.validation_run_bp = run_bp or list(RUNS_BP), validation_run_bp
        if not 0 < hidden <= 0.5:
            raise UsageError("CONFIG-009", f"expected a share of (0, .5], found {hidden}.", where="data.hidden")
        if min(*self.run_bp, validation_run_bp) < 1:
            raise UsageError("CONFIG-009", "a run has at least one base.", where="data.run_bp")

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Read as a model does."""
        self.collate = build_collate(stride=reading.stride, n_global_tokens=reading.n_global_tokens)
        return super().bind(reading, seed=seed, work_dir=work_dir)

    def find_files(self) -> list[GenomeFiles]:
        """Sequence files."""
        return find_sequences(self.fasta)

    def training_set(self, world_size: int = 1) -> MaskedCrops:
        """Crops of the training regions."""
        return MaskedCrops(
            self.store, self.regions["train"], self.tokenizer, crop_bp=self.crop_bp, seed=self.seed,
            both_strands=self.both_strands, share=self.hidden, run_bp=self.run_bp, shares=self.training_shares(),
            n_rows=self.n_rows(world_size),
        )  # fmt: skip

    def evaluation_samples(self, part: str) -> MaskedTiles:
        """Tiles of the regions of a part."""
        return MaskedTiles(
            self.store, self.regions[part], self.tokenizer, crop_bp=self.crop_bp, both_strands=self.both_strands,
            share=self.hidden, run_bp=self.validation_run_bp, n_rows=self.n_evaluation_rows(part),
        )  # fmt: skip
