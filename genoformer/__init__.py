"""Modelling genomic sequences with long-context transformers.

The public names load on first use, so that importing the package is quick.
"""

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any


def _leave(number: int, frame: object) -> None:
    os.write(2, b"genoformer: interrupted: nothing was begun.\n")
    os._exit(128 + number)


if sys.argv and Path(sys.argv[0]).name == "genoformer":
    # Of the program alone, and before anything else is loaded: while it is, an interrupt would be lost in what Python
    # does behind the scenes, and the command would run on. After ``main`` has ended, it would be a traceback.
    signal.signal(signal.SIGINT, _leave)

from genoformer.files.kernel_cache import provide_kernel_cache  # noqa: E402  # it loads dozens of modules

if TYPE_CHECKING:
    from genoformer.api import Model as Model
    from genoformer.api import Predictions as Predictions
    from genoformer.api import load_model as load_model
    from genoformer.applications.functions.caller import FunctionPrediction as FunctionPrediction
    from genoformer.applications.genes.predictions import GenePrediction as GenePrediction
    from genoformer.applications.pretraining.caller import BasePrediction as BasePrediction
    from genoformer.errors import GenoformerError as GenoformerError
    from genoformer.inference.sequence_caller import SequencePrediction as SequencePrediction
    from genoformer.sequence.kmers import KmerTokenizer as KmerTokenizer

__version__ = "0.2.0"

_PUBLIC = {
    "load_model": "genoformer.api",
    "Model": "genoformer.api",
    "Predictions": "genoformer.api",
    "GenePrediction": "genoformer.applications.genes.predictions",
    "FunctionPrediction": "genoformer.applications.functions.caller",
    "SequencePrediction": "genoformer.inference.sequence_caller",
    "BasePrediction": "genoformer.applications.pretraining.caller",
    "GenoformerError": "genoformer.errors",
    "KmerTokenizer": "genoformer.sequence.kmers",
}

__all__ = ["__version__", *_PUBLIC]

provide_kernel_cache(Path(__file__).parent)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'genoformer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
