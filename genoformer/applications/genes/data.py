"""The LightningDataModule of genes: annotated genomes as crops and tiles."""

from pathlib import Path
from typing import Self

from genoformer.batches.collate import build_collate
from genoformer.batches.crops import CropDataset, TileDataset
from genoformer.errors import UsageError
from genoformer.genomes.prepare import RNA_LABELS, GenomeFiles, find_genomes
from genoformer.training.labelled_data import as_list
from genoformer.training.settings import Folds, GenomeAugmentation, Loader, ModelReading, RegionSplit
from genoformer.training.store_data import StoreData, check_one_kind_of_genomes


class GenomeData(StoreData):
    """Genomes with annotations as crops for training and tiles for validation and test.

    Args:
        fasta: FASTA or GenBank file, or a list of them. May be left out when the annotation is GenBank.
        annotation: GFF3 or GenBank file for each sequence file, in the same order.
        genomes: Table of genomes instead of fasta, annotation and genetic_code: columns of these names, and weight and
            group, which decide how many crops a genome gives (docs/training.md).
        store: A store of ``genoformer prepare`` instead of fasta and annotation.
        seqid_map: Table of ids in the annotation and in the FASTA file.
        source: Only annotation rows with one of these words in column 2 of GFF3 and GTF; all by default.
        genetic_code: NCBI number for all genomes, or a list; by default what the annotation says, else 11, or 1 for
            genes with introns.
        crop_bp: Longest crop in training, and length of a tile in validation.
        split: How regions are set apart for validation and test.
        loader: How crops become batches.
        augment: What training changes.
        rna_genes: Label genes of rRNA and tRNA, so that profiles of them are learned when the model is finished; genes
            without introns.
        folds: Which groups of the table networks leave out, for the decoder to be fitted across genomes; genes without
            introns.

    Raises:
        UsageError: If a number is out of range, or genomes are given in two ways.
    """

    def __init__(
        self,
        fasta: str | list[str] | None = None,
        annotation: str | list[str] | None = None,
        genomes: str | None = None,
        store: str | None = None,
        seqid_map: str | None = None,
        source: str | list[str] | None = None,
        genetic_code: int | list[int] | None = None,
        crop_bp: int = 6144,
        split: RegionSplit = RegionSplit(),
        loader: Loader = Loader(batch_size=4, samples_per_epoch=2000),
        augment: GenomeAugmentation = GenomeAugmentation(),
        rna_genes: bool = False,
        folds: Folds = Folds(),
    ) -> None:
        super().__init__(
            store, genomes, crop_bp=crop_bp, split=split, loader=loader, seqid_map=seqid_map, source=as_list(source),
            folds=folds,
        )  # fmt: skip
        check_one_kind_of_genomes(genomes, fasta=fasta, annotation=annotation, store=store, genetic_code=genetic_code)
        self.fasta, self.annotation, self.genetic_code = as_list(fasta), as_list(annotation), genetic_code
        self.recoded, self.rna_genes = augment.recoded, rna_genes

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Read as a model does; UsageError if its task has no recoding, or no genes of RNA, and there shall be some."""
        if self.recoded and self.labels == "introns":
            message = f'task "{reading.task}" has no recoding.'
            raise UsageError("CONFIG-016", message, where="data.augment.recoded", fix="Give 0.")
        if self.rna_genes and self.labels == "introns":
            message = f'task "{reading.task}" finds no genes of RNA.'
            raise UsageError("CONFIG-016", message, where="data.rna_genes", fix="Give false.")
        if self.rna_genes:
            self.labels = RNA_LABELS
        self.collate = build_collate(
            stride=reading.stride, n_global_tokens=reading.n_global_tokens, base_codes=reading.base_codes
        )
        return super().bind(reading, seed=seed, work_dir=work_dir)

    def setup(self, stage: str | None = None) -> None:
        """Open the store and divide it; UsageError if it lacks labels that the task learns, or a part is empty."""
        super().setup(stage)
        if self.labels == RNA_LABELS != self.store.parameters.get("labels"):
            raise UsageError(
                "DATA-009", "there are no labels of RNA genes.", where=str(self.store_path),
                fix=f"Prepare it with --labels {RNA_LABELS}, or leave out data.rna_genes.",
            )  # fmt: skip

    def find_files(self) -> list[GenomeFiles]:
        """Sequence files with their annotations."""
        return find_genomes(self.fasta, self.annotation, self.genetic_code)

    def training_set(self, world_size: int = 1) -> CropDataset:
        """Crops of the training regions."""
        return CropDataset(
            self.store, self.regions["train"], self.tokenizer, crop_bp=self.crop_bp, seed=self.seed,
            both_strands=self.both_strands, recoded=self.recoded, shares=self.training_shares(),
            n_rows=self.n_rows(world_size),
        )  # fmt: skip

    def evaluation_samples(self, part: str) -> TileDataset:
        """Tiles of the regions of a part."""
        return TileDataset(
            self.store, self.regions[part], self.tokenizer, crop_bp=self.crop_bp, both_strands=self.both_strands,
            n_rows=self.n_evaluation_rows(part),
        )  # fmt: skip
