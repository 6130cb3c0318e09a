"""The LightningDataModule of contacts: coding sequences with structure files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genoformer.annotation.rewrite_coding import rewrite_coding
from genoformer.errors import WarningLog
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.structures.contact_labels import read_contacts
from genoformer.structures.contacts import UNKNOWN
from genoformer.tasks.contacts import ContactOptions
from genoformer.training.codon_settings import CODON_BP, check_codon_settings, codon_rewriting
from genoformer.training.structure_data import StructureData


@dataclass(frozen=True)
class ContactSamples:
    """Makes samples of coding sequences.

    Attributes:
        codes: Base codes of each, in frame.
        labels: Contacts of each, int8 [T, T].
        tokenizer: The model's tokenizer.
        crop_codons: Longest stretch in training.
        rewriting: Settings of ``rewrite_coding``; None leaves the codons as they are.
    """

    codes: Sequence[np.ndarray]
    labels: Sequence[np.ndarray]
    tokenizer: KmerTokenizer
    crop_codons: int
    rewriting: dict | None = None

    def __call__(self, number: int, generator: np.random.Generator | None) -> dict[str, np.ndarray]:
        """Sample of one sequence, whole without a generator; see ``batches.structure_dataset``."""
        codes, labels = self.codes[number], self.labels[number]
        if generator is not None:
            start = int(generator.integers(0, max(0, len(labels) - self.crop_codons) + 1))
            end = min(len(labels), start + self.crop_codons)
            codes, labels = codes[CODON_BP * start : CODON_BP * end], labels[start:end, start:end]
            if self.rewriting:
                codes = rewrite_coding(codes, **self.rewriting, generator=generator)
        return {"token_ids": self.tokenizer.encode(codes), "labels": labels}


class ContactData(StructureData):
    """Coding sequences with the structures of their proteins.

    Args:
        labels: Table, tab- or comma-separated with a header line, or a list of them.
        label_column: Column of the structures: FILE:CHAIN, PDB or mmCIF, relative to the table.
        sequence_column: Column of the bases, in frame.
        id_column: Column of the ids.
        group_column: Column of what must not be divided (family, cluster).
        split: File with id and part (train, validation, test) in each line, in place of the four that follow.
        by: "random", "group" or "column", see docs/tasks/function.md.
        validation: Fraction of the sequences, or names of groups.
        test: The same for the test part; nothing by default.
        split_seed: Decides random parts.
        batch_size: Sequences of one step of one process.
        samples_per_epoch: Sequences between two validations; by default all of them once.
        num_workers: Processes that load; 0 is fastest on a CPU.
        seed: Decides order and augmentation.
        crop_codons: Longest stretch in training.
        synonymous: Share of the codons that training draws anew among synonyms.
        substituted: Largest share of the codons for which training draws a similar amino acid.
        genetic_code: NCBI number of the sequences.
        k: Bases per token; follows model.k.
        stride: Bases that each token owns; follows model.stride.
        options: Settings of the task; follow model.options.
        n_global_tokens: Follows model.encoder; none are possible here.
        work_dir: Folder of the run.

    Raises:
        UsageError: If a number is out of range, or tokens are no codons.
    """

    def __init__(
        self,
        labels: str | list[str] | None = None,
        label_column: str = "structure",
        sequence_column: str = "dna",
        id_column: str = "id",
        group_column: str | None = None,
        split: str | None = None,
        by: str = "random",
        validation: float | list[str] = 0.1,
        test: float | list[str] | None = None,
        split_seed: int = 0,
        batch_size: int = 4,
        samples_per_epoch: int | None = None,
        num_workers: int = 0,
        seed: int = 0,
        crop_codons: int = 128,
        synonymous: float = 0.0,
        substituted: float = 0.0,
        genetic_code: int = 1,
        k: int = 3,
        stride: int = 3,
        options: dict[str, bool | int | float | str] | None = None,
        n_global_tokens: int = 0,
        work_dir: str = ".",
    ) -> None:
        how = {"by": by, "validation": validation, "test": test, "seed": split_seed, "file": split}
        check_codon_settings(
            "contacts", k=k, stride=stride, n_global_tokens=n_global_tokens, crop_codons=crop_codons,
            shares=(synonymous, substituted),
        )  # fmt: skip
        super().__init__(
            labels, how, KmerTokenizer(k=k, stride=stride), batch_size=batch_size,
            samples_per_epoch=samples_per_epoch, num_workers=num_workers, seed=seed, ignored=UNKNOWN,
        )  # fmt: skip
        self.columns = TableColumns(label_column, sequence_column, id_column, group_column)
        self.options = ContactOptions(**(options or {}))
        self.crop_codons, self.genetic_code = crop_codons, genetic_code
        self.rewriting = codon_rewriting(synonymous, substituted, genetic_code)
        self.channels = ["contact"]
        self.contacts: dict[str, np.ndarray] = {}

    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """Sequences whose structures fit; DataError where one does not, or is not there."""
        found = []
        for path in self.paths:
            for example in read_label_table([path], self.columns, [], log):
                if len(example.codes) > self.options.max_bp:
                    message = f"{example.where}: {len(example.codes):,} bases are too many; it is left out."
                    log.add("CONTACTS-101", message)
                    continue
                self.contacts[example.id] = read_contacts(example, Path(path).parent, self.genetic_code)
                found.append(example)
        return found

    def build_samples(self, sequences: Sequence[LabelledSequence], *, is_training: bool) -> ContactSamples:
        """Samples of some sequences."""
        codes = [sequence.codes for sequence in sequences]
        labels = [self.contacts[sequence.id] for sequence in sequences]
        rewriting = self.rewriting if is_training else None
        return ContactSamples(codes, labels, self.tokenizer, self.crop_codons, rewriting)
