"""Modelling genomic sequences with long-context transformers.

The public names load on first use, so that importing the package is quick.
"""

import importlib
from pathlib import Path

from genoformer.files.kernel_cache import provide_kernel_cache

__version__ = "0.1.0"

_PUBLIC = {
    "load_model": "genoformer.api",
    "KmerTokenizer": "genoformer.sequence.kmers",
}

__all__ = ["__version__", *_PUBLIC]

provide_kernel_cache(Path(__file__).parent)


def __getattr__(name: str):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'genoformer' has no attribute {name!r}")
