"""What ``genoformer explain`` is asked to do; made without a network."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from genoformer.bundle.header import BundleHeader
from genoformer.errors import UsageError, WarningLog
from genoformer.explain.target import Target
from genoformer.inference.optional_packages import load_captum
from genoformer.inference.reading import Reading, Scan
from genoformer.inference.regions import scan_stretches

MUTAGENESIS, GRADIENTS, GLOBALS = "ism", "ig", "attention"
METHODS = (MUTAGENESIS, GRADIENTS, GLOBALS)
STRANDS = ("forward", "reverse")
USUAL_STEPS = 64


@dataclass(frozen=True)
class Explaining:
    """What is asked of a model.

    Attributes:
        target: The output.
        methods: Of ``METHODS``.
        strand: The one that is read; None for what the model does by itself.
        n_steps: Of integrated gradients.
    """

    target: Target
    methods: tuple[str, ...] = (MUTAGENESIS,)
    strand: str | None = None
    n_steps: int = USUAL_STEPS


@dataclass(frozen=True)
class ExplainRequest:
    """What is asked of a model and an input; see ``inference.interface.Request``.

    Attributes:
        asked: Of the model.
        reading: How the input is read; its region is what is asked about, the model reads around it.
        formats: Words of ``outputs.FORMATS``.
        precision: Differences are small: float32 always.
    """

    asked: Explaining
    reading: Reading = field(default_factory=Reading)
    formats: tuple[str, ...] = ("tsv",)
    precision: str | None = "float32"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        region = self.reading.region
        return {
            "target": self.asked.target.to_dict(), "methods": list(self.asked.methods), "strand": self.asked.strand,
            "n_steps": self.asked.n_steps, "formats": list(self.formats), "precision": self.precision,
            "reading": {**self.reading.to_dict(), "region": None if region is None else list(region)},
        }  # fmt: skip

    def scan(self, paths: list[str], warnings: WarningLog) -> Scan:
        """Read all of the input once; see ``inference.interface.Request``."""
        return scan_stretches(self.reading, paths, warnings)

    def key(self, header: BundleHeader, scan: Scan) -> dict[str, Any]:
        """What makes two explanations the same; JSON types."""
        return {
            **self.to_dict(), "command": "explain", "sequence_digest": scan.sequence_digest,
            "model_digest": header.digest, "version": version("genoformer"),
        }  # fmt: skip


def check_methods(words: Iterable[str], n_global_tokens: int) -> tuple[str, ...]:
    """Methods without repeats.

    Args:
        words: Of ``METHODS``.
        n_global_tokens: Of the encoder.

    Raises:
        UsageError: If one is unknown, its package is missing, or the encoder has nothing for it.
    """
    chosen = tuple(dict.fromkeys(words))
    unknown = [word for word in chosen if word not in METHODS]
    if unknown or not chosen:
        message = f'unknown method "{", ".join(unknown)}"; known: {", ".join(METHODS)}.'
        raise UsageError("EXPLAIN-005", message, where="--methods")
    if GLOBALS in chosen and not n_global_tokens:
        raise UsageError("EXPLAIN-006", "the encoder of this model has no global tokens.", where="--methods attention")
    if GRADIENTS in chosen:
        load_captum()
    return chosen
