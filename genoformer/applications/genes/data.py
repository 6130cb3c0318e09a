"""The LightningDataModule: genome files to store, store to splits, splits to loaders."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from genoformer.batches.collate import build_collate
from genoformer.batches.crops import CropDataset, TileDataset
from genoformer.errors import UsageError, WarningLog
from genoformer.genomes.prepare import GenomeFiles, find_genomes, prepare_store, store_parameters
from genoformer.genomes.splits import Region, split_regions
from genoformer.genomes.store import Store
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.tasks import TASKS
from genoformer.training.batched_data import BatchedData


class GenomeData(BatchedData):
    """Genomes with annotations as crops for training and tiles for validation and test.

    Args:
        fasta: FASTA or GenBank file, or a list of them. May be left out when the annotation is GenBank.
        annotation: GFF3 or GenBank file for each sequence file, in the same order.
        store: A store of ``genoformer prepare`` instead of fasta and annotation.
        seqid_map: Table of ids in the annotation and in the FASTA file.
        source: Only annotation rows with one of these words in column 2 of GFF3 and GTF; all by default.
        genetic_code: NCBI number for all genomes, or a list; by default what the annotation says, else 11, or 1 for
            genes with introns.
        crop_bp: Longest crop in training, and length of a tile in validation.
        batch_size: Crops of one step of one process.
        samples_per_epoch: Crops between two validations.
        num_workers: Processes that load; 0 is fastest on a CPU. The batches do not depend on it.
        seed: Decides crops and splits.
        by: How validation and test are set apart: "region", "contig" or "genome".
        validation: Fraction of the bases, or names of contigs or genomes.
        test: The same for the test part; nothing by default.
        guard_bp: With by="region", bases between training and held-out stretches that no part uses.
        recoded: Share of the training crops whose bases are rewritten toward other GC contents, codons and amino
            acids (see ``annotation.recode``). Labels stay.
        k: Bases per token; follows model.k.
        stride: Bases that each token owns; follows model.stride.
        task: Name of the task; follows model.task.
        n_global_tokens: Global tokens in front of each crop; follows model.encoder.
        base_codes: Give the bases that each token owns; follows model.encoder.
        work_dir: Folder of the prepared store; the run's folder.

    Raises:
        UsageError: If a number is out of range.
    """

    linked = ("k", "stride", "task")

    def __init__(
        self,
        fasta: str | list[str] | None = None,
        annotation: str | list[str] | None = None,
        store: str | None = None,
        seqid_map: str | None = None,
        source: str | list[str] | None = None,
        genetic_code: int | list[int] | None = None,
        crop_bp: int = 6144,
        batch_size: int = 4,
        samples_per_epoch: int = 2000,
        num_workers: int = 0,
        seed: int = 0,
        by: str = "region",
        validation: float | list[str] = 0.05,
        test: float | list[str] | None = None,
        guard_bp: int = 10_000,
        recoded: float = 0.0,
        k: int = 6,
        stride: int = 3,
        task: str = "gene_structure",
        n_global_tokens: int = 0,
        base_codes: bool = False,
        work_dir: str = ".",
    ) -> None:
        collate = build_collate(stride=stride, n_global_tokens=n_global_tokens, base_codes=base_codes)
        super().__init__(
            collate, batch_size=batch_size, samples_per_epoch=samples_per_epoch, num_workers=num_workers, seed=seed
        )
        if crop_bp < 1:
            raise UsageError("CONFIG-009", f"must be at least 1, found {crop_bp}.", where="data.crop_bp")
        if samples_per_epoch < batch_size:
            raise UsageError(
                "CONFIG-008", f"expected at least one batch of {batch_size}, found {samples_per_epoch}.",
                where="data.samples_per_epoch",
            )  # fmt: skip
        if not 0.0 <= recoded <= 1.0:
            raise UsageError("CONFIG-009", f"expected a share from 0 to 1, found {recoded}.", where="data.recoded")
        self.fasta, self.annotation = _as_list(fasta), _as_list(annotation)
        self.store_path, self.is_own_store = Path(store or Path(work_dir) / "data.h5"), store is None
        self.seqid_map, self.genetic_code = seqid_map, genetic_code
        self.crop_bp, self.recoded = crop_bp, recoded
        self.split = {"by": by, "validation": validation, "test": test, "guard_bp": guard_bp, "seed": seed}
        self.tokenizer = KmerTokenizer(k=k, stride=stride)
        self.both_strands = TASKS[task].strands != "forward"
        self.labels, self.source = TASKS[task].labels, _as_list(source) or []
        if recoded and self.labels != "codons":
            raise UsageError("CONFIG-016", f'task "{task}" has no recoding.', where="data.recoded", fix="Give 0.")
        self.store: Store | None = None
        self.regions: dict = {}
        self._is_prepared = False

    def input_digest(self) -> str:
        """SHA-256 of what training reads: contents of the input files, names and genetic codes.

        Raises:
            UsageError: If the inputs do not fit each other.
            MissingFileError: If a file is not there.
        """
        if self.is_own_store:
            genomes = self._find_genomes()
            described: object = store_parameters(genomes, self.seqid_map, self.labels, self.source)
        else:
            store = Store(self.store_path)
            described = [store.sequence_digest, store.parameters]
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    def _find_genomes(self) -> list[GenomeFiles]:
        return find_genomes(self.fasta, self.annotation, self.genetic_code)

    def prepare_data(self) -> None:
        """Write the store, or find that it is there."""
        if self._is_prepared or not self.is_own_store:
            return
        warnings = WarningLog()
        genomes = self._find_genomes()
        report = prepare_store(
            self.store_path, genomes, seqid_map=self.seqid_map, labels=self.labels, sources=self.source,
            warnings=warnings,
        )  # fmt: skip
        for line in [*(report.lines() if report else []), *warnings.lines()]:
            print(f"genoformer: {line}", file=sys.stderr)
        self._is_prepared = True

    def setup(self, stage: str | None = None) -> None:
        """Open the store and divide it."""
        if self.store is None:
            self.store = Store(self.store_path)
            self.regions = split_regions(self.store.records, **self.split)

    def part(self, name: str) -> list[Region]:
        """The regions of a part."""
        return self.regions[name]

    def training_set(self, world_size: int = 1) -> CropDataset:
        """Crops of the training regions."""
        return CropDataset(
            self.store, self.regions["train"], self.tokenizer, crop_bp=self.crop_bp, seed=self.seed,
            both_strands=self.both_strands, recoded=self.recoded,
        )  # fmt: skip

    def evaluation_samples(self, part: str) -> TileDataset:
        """Tiles of the regions of a part."""
        return TileDataset(
            self.store, self.regions[part], self.tokenizer, crop_bp=self.crop_bp, both_strands=self.both_strands
        )

    def card_lines(self) -> list[str]:
        """What the model card says of the data: records that training has seen, in whole or in part."""
        seen = {region.record for region in self.regions["train"]}
        trained_on = (record for record in self.store.records if record.index in seen)
        records = (f"- {r.genome}: {r.id}, {r.length:,} bp, genetic code {r.genetic_code}" for r in trained_on)
        return [*records, "", f"Held out for validation and calibration: {_described_split(self.split)}."]


def _described_split(split: dict[str, Any]) -> str:
    wanted = split["validation"]
    share = f"{wanted:.0%} of the bases" if isinstance(wanted, float) else ", ".join(wanted)
    return f"{share}, by {split['by']}, seed {split['seed']}, guard {split['guard_bp']:,} bp"


def _as_list(value: str | list[str] | None) -> list[str] | None:
    return [value] if isinstance(value, str) else value
