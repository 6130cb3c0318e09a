"""What ``genoformer embed`` is asked to do; made without a network."""

from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from genoformer.bundle.header import BundleHeader
from genoformer.embeddings.windows import Windows
from genoformer.errors import UsageError, WarningLog
from genoformer.inference.formats import OutputFormat
from genoformer.inference.parts import Part
from genoformer.inference.reading import Reading, Scan
from genoformer.inference.regions import scan_stretches

STRANDS = ("forward", "reverse", "average")
DTYPES = ("float32", "float16")
_FILES = "genoformer.embeddings.files"

FORMATS: dict[str, OutputFormat] = {
    "npz": OutputFormat(
        "embeddings.npz", "arrays for numpy.load", "rows", Part(f"{_FILES}:NpzWriter"), is_default=True
    ),
    "h5": OutputFormat("embeddings.h5", "the same as HDF5, in chunks", "rows", Part(f"{_FILES}:H5Writer")),
    "parquet": OutputFormat(
        "embeddings.parquet", "the same as Parquet, one row for each", "rows",
        Part("genoformer.embeddings.parquet:ParquetWriter"),
        check=Part("genoformer.inference.optional_packages:load_pyarrow"),
    ),
}  # fmt: skip
"""Writers are given neighbouring rows of one record at a time, ``embedding.Rows``, and ``embedding.describe``."""


@dataclass(frozen=True)
class Embedding:
    """What is asked of an encoder.

    Attributes:
        windows: What a row is about.
        layer: States behind so many layers; 0 for the embeddings of tokens, None for the last layer.
        strand: "forward" as the record is written, "reverse" its reverse complement, or the "average" of both; rows
            stand in forward coordinates always.
        dtype: "float32", or "float16": half the space, and 11 bits of each number.
    """

    windows: Windows = field(default_factory=Windows)
    layer: int | None = None
    strand: str = "forward"
    dtype: str = "float32"


@dataclass(frozen=True)
class EmbedRequest:
    """What is asked of a model and an input; see ``interface.Request``.

    Attributes:
        asked: Of the encoder; the layer by its number.
        reading: How the input is read.
        formats: Words of ``FORMATS``.
        precision: Of the model pass.
    """

    asked: Embedding = field(default_factory=Embedding)
    reading: Reading = field(default_factory=Reading)
    formats: tuple[str, ...] = ("npz",)
    precision: str | None = "float32"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        region = self.reading.region
        reading = {**self.reading.to_dict(), "region": None if region is None else list(region)}
        return {
            **asdict(self.asked), "reading": reading, "formats": list(self.formats), "precision": self.precision,
        }  # fmt: skip

    def scan(self, paths: list[str], warnings: WarningLog) -> Scan:
        """Read all of the input once; see ``interface.Request``."""
        return scan_stretches(self.reading, paths, warnings)

    def key(self, header: BundleHeader, scan: Scan) -> dict[str, Any]:
        """What makes two embeddings the same; JSON types."""
        return {
            **self.to_dict(), "command": "embed", "sequence_digest": scan.sequence_digest,
            "model_digest": header.digest, "tile_bp": header.config.tile_bp, "context_bp": header.config.context_bp,
            "version": version("genoformer"),
        }  # fmt: skip


def check_layer(layer: int | None, n_layers: int) -> None:
    """UsageError if an encoder of so many layers has no such layer; None is the last one."""
    if layer is not None and not 0 <= layer <= n_layers:
        message = f"expected a layer from 0 (embeddings of tokens) to {n_layers} (the last), found {layer}."
        raise UsageError("EMBED-001", message, where="--layer")


def windows_of(per: str, window_bp: int | None, step_bp: int | None) -> Windows:
    """Rows that are wanted.

    Args:
        per: "record", "window" or "base".
        window_bp: Length of a window; None where there are none.
        step_bp: From window to window; None for ``window_bp``.

    Raises:
        UsageError: If windows have no length, or what has none is given one; or if they would leave out bases.
    """
    if (per == "window") != (window_bp is not None):
        is_missing = "windows need a length" if per == "window" else f"a {per} has no windows"
        fix = "Add --window-bp 1000." if per == "window" else "Add --per window."
        raise UsageError("EMBED-002", f"{is_missing}.", where="--window-bp", fix=fix)
    if window_bp is None:
        if step_bp is not None:
            raise UsageError("EMBED-002", f"a {per} has no windows.", where="--step-bp", fix="Add --per window.")
        return Windows(per)
    for option, value in (("--window-bp", window_bp), ("--step-bp", step_bp)):
        if value is not None and value < 1:
            raise UsageError("OPTION-001", f"expected a positive number, found {value}.", where=option)
    if step_bp is not None and step_bp > window_bp:
        message = f"windows of {window_bp} bp every {step_bp} bp leave out bases."
        raise UsageError("EMBED-003", message, where="--step-bp", fix="Give at most the length of a window.")
    return Windows(per, window_bp, step_bp or window_bp)
