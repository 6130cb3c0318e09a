"""What several data modules can be told, and what they have to know of a model.

Each dataclass is one group of keys below ``data``; its docstring is the help of ``genoformer fit``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genoformer.errors import UsageError
from genoformer.nn.config import read_attention

MOST_SAMPLES, MOST_WORKERS = 1_000_000, 1_024
"""Of a batch, and processes that load: more are never meant, and no machine has the memory."""


@dataclass(frozen=True)
class Loader:
    """How samples become batches.

    Attributes:
        batch_size: Samples of one step of one process.
        samples_per_epoch: Samples between two validations; with labelled sequences by default all of them once.
        num_workers: Processes that load; 0 is fastest on a CPU. The batches do not depend on it.

    Raises:
        UsageError: If a number is too low, or too high to be meant.
    """

    batch_size: int = 4
    samples_per_epoch: int | None = None
    num_workers: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.batch_size <= MOST_SAMPLES and 0 <= self.num_workers <= MOST_WORKERS):
            raise UsageError(
                "CONFIG-009", f"batch_size {self.batch_size} or num_workers {self.num_workers} is too low or high.",
                where="data.loader",
            )  # fmt: skip
        if self.samples_per_epoch is not None and self.samples_per_epoch < self.batch_size:
            raise UsageError(
                "CONFIG-008", f"expected at least one batch of {self.batch_size}, found {self.samples_per_epoch}.",
                where="data.loader.samples_per_epoch",
            )  # fmt: skip


@dataclass(frozen=True)
class RegionSplit:
    """How regions of genomes are set apart for validation and test, see ``genomes.splits``.

    Attributes:
        by: "region", a stretch of each record; or "contig" or "genome", whole ones.
        validation: Fraction of the bases, or names of contigs or genomes.
        test: The same for the test part; nothing by default.
        guard_bp: With by="region", bases between training and held-out stretches that no part uses.
    """

    by: str = "region"
    validation: float | list[str] = 0.05
    test: float | list[str] | None = None
    guard_bp: int = 10_000


@dataclass(frozen=True)
class LabelSplit:
    """How labelled sequences are set apart for validation and test, see docs/tasks/function.md.

    Attributes:
        by: "random", "group" or "column".
        validation: Fraction of the sequences, or names of groups.
        test: The same for the test part; nothing by default.
        seed: Decides random parts.
        file: File with id, part (train, validation, test) and perhaps group in each line, in place of the four above.
        fraction_of_sequences: With by="group", a fraction takes sequences of the groups that are not named, not groups.
        keep_copies: Equal sequences may stay in one part; by default one of them is kept.
        relatives: With by="random", sequences that share so large a part of their 16-mers are in one part (0.3 is an
            identity of about .93); by default equal ones are.

    Raises:
        UsageError: If the part is out of range, or the sequences are not divided at random.
    """

    by: str = "random"
    validation: float | list[str] = 0.1
    test: float | list[str] | None = None
    seed: int = 0
    file: str | None = None
    fraction_of_sequences: bool = False
    keep_copies: bool = False
    relatives: float | None = None

    def __post_init__(self) -> None:
        if self.relatives is not None and (not 0 < self.relatives <= 1 or self.by != "random"):
            raise UsageError(
                "CONFIG-009", f"expected a part above 0 and at most 1, with by random; found {self.relatives} and "
                f"{self.by}.", where="data.split.relatives",
            )  # fmt: skip


@dataclass(frozen=True)
class Folds:
    """Groups of genomes that networks leave out in turn, for a decoder that is fitted to genomes they have not seen.

    Attributes:
        steps: Of each network that leaves a group out; 0 for no such networks. By default a third of the steps of the
            run, at least 100, where three groups or more are trained on, and else 0.
        groups: Groups that are left out, each by a network of its own; by default all. The others are trained on only.

    Raises:
        UsageError: If the number is negative, or there are no groups in the list.
    """

    steps: int | None = None
    groups: list[str] | None = None

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 0:
            raise UsageError("CONFIG-009", f"expected a number of steps, found {self.steps}.", where="data.folds.steps")
        if self.groups is not None and not self.groups:
            raise UsageError(
                "CONFIG-009", "expected the name of a group, found none.", where="data.folds.groups",
                fix="Leave it out for all groups, or turn folds off with --data.folds.steps 0.",
            )  # fmt: skip


@dataclass(frozen=True)
class GenomeAugmentation:
    """What training changes in crops of genomes; labels stay.

    Attributes:
        recoded: Share of the crops whose bases are rewritten toward other GC contents, codons and amino acids (see
            ``annotation.recode``).

    Raises:
        UsageError: If it is no share.
    """

    recoded: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.recoded <= 1.0:
            raise _no_share("recoded", self.recoded, "from 0 to 1")


@dataclass(frozen=True)
class PairAugmentation:
    """What training changes in RNAs.

    Attributes:
        mutated: Largest share of pairs and single bases that training draws anew; pairs stay pairs.

    Raises:
        UsageError: If it is no share.
    """

    mutated: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.mutated <= 1.0:
            raise _no_share("mutated", self.mutated, "from 0 to 1")


@dataclass(frozen=True)
class CodonAugmentation:
    """What training changes in coding sequences.

    Attributes:
        synonymous: Share of the codons that training draws anew among synonyms.
        substituted: Largest share of the codons for which training draws a similar amino acid.

    Raises:
        UsageError: If one is no share.
    """

    synonymous: float = 0.0
    substituted: float = 0.0

    def __post_init__(self) -> None:
        _check_shares(synonymous=self.synonymous, substituted=self.substituted)


@dataclass(frozen=True)
class SequenceAugmentation:
    """What training changes in labelled sequences.

    Attributes:
        masked: Share of the bases, or of the codons where these have labels, that training reads as unknown.
        synonymous: Share of the codons that training draws anew among synonyms; sequences must be in reading frame.
        substituted: Largest share of the codons for which training draws a similar amino acid.

    Raises:
        UsageError: If one is no share.
    """

    masked: float = 0.0
    synonymous: float = 0.0
    substituted: float = 0.0

    def __post_init__(self) -> None:
        _check_shares(masked=self.masked, synonymous=self.synonymous, substituted=self.substituted)


@dataclass(frozen=True)
class ModelReading:
    """How a model reads: what its data module has to know of it.

    Attributes:
        task: Name of the task.
        k: Bases per token.
        stride: Bases that each token owns.
        options: Settings of the task.
        n_global_tokens: Global tokens in front of each sequence.
        base_codes: The model reads the bases that each token owns, too.
        walks: Its layers remember: crops continue each other.
    """

    task: str
    k: int
    stride: int
    options: Mapping[str, Any] = field(default_factory=dict)
    n_global_tokens: int = 0
    base_codes: bool = False
    walks: bool = False

    @classmethod
    def of(
        cls, *, task: str, k: int, stride: int, encoder: Mapping, options: Mapping[str, Any] | None = None
    ) -> "ModelReading":
        """From the settings of a model, as configurations and bundles have them."""
        n_global_tokens, base_codes = encoder.get("n_global_tokens", 0), bool(encoder.get("base_embedding", False))
        walks = getattr(read_attention(encoder.get("attention", {})), "carried", None) is not None
        return cls(task, k, stride, dict(options or {}), n_global_tokens, base_codes, walks)


def check_crop(crop: int, name: str) -> None:
    """UsageError if the setting ``data.NAME``, the longest stretch in training, holds nothing."""
    if crop < 1:
        raise UsageError("CONFIG-009", f"must be at least 1, found {crop}.", where=f"data.{name}")


def _check_shares(**shares: float) -> None:
    for name, value in shares.items():
        if not 0.0 <= value < 1.0:
            raise _no_share(name, value, "of at least 0 and below 1")


def _no_share(name: str, value: float, expected: str) -> UsageError:
    return UsageError("CONFIG-009", f"expected a share {expected}, found {value}.", where=f"data.augment.{name}")
