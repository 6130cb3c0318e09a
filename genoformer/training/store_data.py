"""What the data modules of genomes have in common: files to store, store to regions, and loaders."""

import copy
import hashlib
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Self

import pytorch_lightning as pl
from torch.utils.data import DataLoader, Dataset

from genoformer.batches.crops import CropDataset
from genoformer.errors import UsageError, WarningLog
from genoformer.genomes.genome_table import TableGenome, describe_genome, read_genome_table, region_shares
from genoformer.genomes.prepare import GenomeFiles, prepare_store, store_parameters
from genoformer.genomes.splits import Region, split_regions
from genoformer.genomes.store import Store
from genoformer.nn.config import EncoderConfig
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan, check_tile_length
from genoformer.training.run_batches import RunBatches, check_seed
from genoformer.training.settings import Folds, Loader, ModelReading, RegionSplit, check_crop


class StoreData(pl.LightningDataModule, ABC):
    """Regions of a store of genomes as crops for training and tiles for validation and test.

    A subclass sets ``collate`` in ``bind``, which must be called before anything is read.

    Args:
        store: A store of ``genoformer prepare``; None makes one in the run's folder.
        genomes: Table of genomes, see ``genomes.genome_table``; None where files are given one by one.
        crop_bp: Longest crop in training, and length of a tile in validation.
        split: How regions are set apart.
        loader: How crops become batches.
        seqid_map: Table of ids in the annotation and in the FASTA file.
        source: Only annotation rows with one of these words; all when empty.
        folds: Which groups networks leave out.

    Raises:
        UsageError: If a number is out of range.
    """

    needs_genes = True
    """Genomes must have an annotation."""
    both_strands = True
    """Either strand may be read."""
    labels = "codons"
    """Kind of label tracks, see ``genomes.prepare``."""
    collate: Callable
    store: Store
    """There after ``setup``."""

    def __init__(
        self, store: str | None, genomes: str | None, *, crop_bp: int, split: RegionSplit, loader: Loader,
        seqid_map: str | None = None, source: Sequence[str] = (), folds: Folds = Folds(steps=0),
    ) -> None:  # fmt: skip
        super().__init__()
        check_crop(crop_bp, "crop_bp")
        if loader.samples_per_epoch is None:
            raise UsageError("CONFIG-008", "expected a number of crops.", where="data.loader.samples_per_epoch")
        self.given_store, self.table_path = store, genomes
        self.crop_bp, self.split, self.batches = crop_bp, split, RunBatches(loader)
        self.seqid_map, self.source, self.folds = seqid_map, list(source), folds
        self.table: list[TableGenome] = []
        self.parts: dict[str, list[Region]] = {}
        self._is_prepared = self.walks = False

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Take what follows from the model and from the run.

        Args:
            reading: How the model reads.
            seed: Decides crops and splits.
            work_dir: Folder of the run; a store that is not given lies there.

        Raises:
            UsageError: If the data cannot be read in this way.
        """
        self.seed, self.walks = check_seed(seed), reading.walks
        self.tokenizer = KmerTokenizer(k=reading.k, stride=reading.stride)
        self.store_path = Path(self.given_store or Path(work_dir) / "data.h5")
        return self

    def check_model(self, encoder: EncoderConfig, plan: TilePlan) -> None:
        """UsageError if tiles are longer than what the model reads."""
        check_tile_length(encoder, plan)

    @property
    def regions(self) -> dict[str, list[Region]]:
        """Regions by part."""
        return self.parts

    @abstractmethod
    def find_files(self) -> list[GenomeFiles]:
        """Genomes that were given one by one."""

    @abstractmethod
    def training_set(self, world_size: int = 1) -> CropDataset:
        """Crops of the training regions."""

    @abstractmethod
    def evaluation_samples(self, part: str) -> Dataset:
        """Tiles of the regions of a part."""

    def find_genomes(self) -> list[GenomeFiles]:
        """All genomes; each call looks at the files again."""
        if self.table_path is None:
            return self.find_files()
        self.table = read_genome_table(self.table_path, needs_genes=self.needs_genes)
        return [genome.files for genome in self.table]

    def input_digest(self) -> str:
        """SHA-256 of what training reads: contents of the input files, names, genetic codes, weights, groups
        and families.

        Raises:
            UsageError: If the inputs do not fit each other.
            DataError: If a table of genomes is damaged.
            MissingFileError: If a file is not there.
        """
        if self.given_store is None:
            genomes = self.find_genomes()
            described: object = store_parameters(genomes, self.seqid_map, self.labels, self.source)
            if self.table:
                families = {genome.family for genome in self.table} - {None}
                rows = [[genome.weight, genome.group, *([genome.family] if families else [])] for genome in self.table]
                described = [described, rows]
        else:
            store = Store(self.store_path)
            described = [store.sequence_digest, store.parameters]
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    def prepare_data(self) -> None:
        """Write the store, or find that it is there."""
        if self._is_prepared or self.given_store is not None:
            return
        warnings = WarningLog()
        report = prepare_store(
            self.store_path, self.find_genomes(), seqid_map=self.seqid_map, labels=self.labels, sources=self.source,
            warnings=warnings,
        )  # fmt: skip
        for line in [*(report.lines() if report else []), *warnings.lines()]:
            print(f"genoformer: {line}", file=sys.stderr)
        self._is_prepared = True

    def setup(self, stage: str | None = None) -> None:
        """Open the store and divide it; genomes of weight 0 do not train.

        Raises:
            UsageError: If a part is empty.
        """
        if self.parts:
            return
        if self.table_path is not None and not self.table:
            self.find_genomes()
        self.store = Store(self.store_path)
        self.parts = split_regions(self.store.records, **asdict(self.split), seed=self.seed)
        weightless = {genome.files.name for genome in self.table if genome.weight == 0}
        train = [r for r in self.parts["train"] if self.store.records[r.record].genome not in weightless]
        if not train:
            raise UsageError("GENOMES-008", "all that is not held out has weight 0.", where="data.genomes")
        self.parts["train"] = train

    def without(self, genomes: Collection[str]) -> Self:
        """The same data, set up and from its first batch on, whose parts hold nothing of these genomes."""
        left = copy.copy(self)
        left.trainer, left.batches = None, RunBatches(self.batches.loader)
        left.parts = {
            part: [region for region in regions if self.store.records[region.record].genome not in genomes]
            for part, regions in self.parts.items()
        }
        return left

    def training_shares(self) -> list[float] | None:
        """Share of the crops that each training region gets; None where its bases decide."""
        records, regions = self.store.records, self.parts["train"]
        genomes = [records[region.record].genome for region in regions]
        return region_shares(self.table, genomes, [region.end - region.start for region in regions])

    def n_rows(self, world_size: int) -> int:
        """Rows of all batches of a step together, where they walk along records; else 0."""
        return self.batches.loader.batch_size * world_size if self.walks else 0

    def n_evaluation_rows(self, part: str) -> int:
        """The same of the batches of an evaluation: no more than there are strands to be read."""
        if not self.walks:
            return 0
        world_size = self.trainer.world_size if self.trainer else 1
        n_strands = len(self.parts[part]) * (1 + self.both_strands)
        return world_size * min(self.batches.loader.batch_size, -(-n_strands // world_size))

    def train_dataloader(self) -> DataLoader:
        """Batches from where the run stands."""
        return self.batches.training(self)

    def val_dataloader(self) -> DataLoader:
        """The validation part once."""
        return self.batches.evaluation(self, "validation")

    def test_dataloader(self) -> DataLoader:
        """The test part once; UsageError if there is none."""
        return self.batches.evaluation(self, "test")

    def records(self, part: str) -> Iterator[Record]:
        """The regions of a part as sequences, named by their place, 1-based."""
        for region in self.parts[part]:
            name = f"{self.store.records[region.record].id}:{region.start + 1}-{region.end}"
            yield Record(name, self.store.bases(region.record, region.start, region.end))

    def card_lines(self) -> list[str]:
        """What the model card says of the data: records that training has seen, in whole or in part."""
        seen = {region.record for region in self.parts["train"]}
        said = {genome.files.name: describe_genome(genome) for genome in self.table}
        trained_on = (record for record in self.store.records if record.index in seen)
        records = (
            f"- {r.genome}: {r.id}, {r.length:,} bp, genetic code {r.genetic_code}{said.get(r.genome, '')}"
            for r in trained_on
        )
        return [*records, "", f"Held out for validation and calibration: {self._described_split()}."]

    def _described_split(self) -> str:
        wanted = self.split.validation
        share = f"{wanted:.0%} of the bases" if isinstance(wanted, float) else ", ".join(wanted)
        return f"{share}, by {self.split.by}, seed {self.seed}, guard {self.split.guard_bp:,} bp"


def check_one_kind_of_genomes(genomes: str | None, **others: object) -> None:
    """UsageError if genomes are given by a table and in another way, too."""
    taken = [name for name, value in others.items() if value]
    if genomes is not None and taken:
        raise UsageError(
            "CONFIG-021", f"a table of genomes takes the place of data.{taken[0]}.", where="data.genomes",
            fix="Leave one of them out.",
        )  # fmt: skip
