"""The LightningDataModule of the masked language model: sequence files without labels."""

from genoformer.applications.genes.data import GenomeData
from genoformer.batches.masked_crops import MaskedCrops, MaskedTiles
from genoformer.errors import UsageError
from genoformer.genomes.prepare import GenomeFiles, find_sequences


class PretrainingData(GenomeData):
    """Sequences as crops with hidden bases.

    Args:
        fasta: FASTA or GenBank file, or a list of them.
        store: A store of ``genoformer prepare`` instead.
        crop_bp: Longest crop in training, and length of a tile in validation.
        batch_size: Crops of one step of one process.
        samples_per_epoch: Crops between two validations.
        num_workers: Processes that load; 0 is fastest on a CPU. The batches do not depend on it.
        seed: Decides crops, hidden bases and splits.
        by: How validation and test are set apart: "region", "contig" or "genome".
        validation: Fraction of the bases, or names of contigs or genomes.
        test: The same for the test part; nothing by default.
        guard_bp: With by="region", bases between training and held-out stretches that no part uses.
        hidden: Share of the bases that are hidden, in runs at least 2 k apart.
        run_bp: Lengths of the runs in training, drawn evenly.
        validation_run_bp: Length of the runs in validation and test; all of these are masked.
        k: Bases per token; follows model.k.
        stride: Bases that each token owns; follows model.stride.
        task: Name of the task; follows model.task.
        n_global_tokens: Global tokens in front of each crop; follows model.encoder.
        work_dir: Folder of the prepared store; the run's folder.

    Raises:
        UsageError: If a number is out of range.
    """

    def __init__(
        self,
        fasta: str | list[str] | None = None,
        store: str | None = None,
        crop_bp: int = 6144,
        batch_size: int = 4,
        samples_per_epoch: int = 2000,
        num_workers: int = 0,
        seed: int = 0,
        by: str = "region",
        validation: float | list[str] = 0.05,
        test: float | list[str] | None = None,
        guard_bp: int = 10_000,
        hidden: float = 0.15,
        run_bp: list[int] | None = None,
        validation_run_bp: int = 1,
        k: int = 6,
        stride: int = 1,
        task: str = "mlm",
        n_global_tokens: int = 0,
        work_dir: str = ".",
    ) -> None:
        super().__init__(
            fasta=fasta, store=store, crop_bp=crop_bp, batch_size=batch_size, samples_per_epoch=samples_per_epoch,
            num_workers=num_workers, seed=seed, by=by, validation=validation, test=test, guard_bp=guard_bp, k=k,
            stride=stride, task=task, n_global_tokens=n_global_tokens, work_dir=work_dir,
        )  # fmt: skip
        self.hidden, self.run_bp, self.validation_run_bp = hidden, run_bp or [1, 2, 4, 6, 9], validation_run_bp
        if not 0 < hidden <= 0.5:
            raise UsageError("CONFIG-009", f"expected a share of (0, .5], found {hidden}.", where="data.hidden")
        if min(*self.run_bp, validation_run_bp) < 1:
            raise UsageError("CONFIG-009", "a run has at least one base.", where="data.run_bp")

    def _find_genomes(self) -> list[GenomeFiles]:
        return find_sequences(self.fasta)

    def training_set(self, world_size: int = 1) -> MaskedCrops:
        """Crops of the training regions."""
        return MaskedCrops(
            self.store, self.regions["train"], self.tokenizer, crop_bp=self.crop_bp, seed=self.seed,
            both_strands=self.both_strands, share=self.hidden, run_bp=self.run_bp,
        )  # fmt: skip

    def evaluation_samples(self, part: str) -> MaskedTiles:
        """Tiles of the regions of a part."""
        return MaskedTiles(
            self.store, self.regions[part], self.tokenizer, crop_bp=self.crop_bp, both_strands=self.both_strands,
            share=self.hidden, run_bp=self.validation_run_bp,
        )  # fmt: skip
