"""Models for Python programs: load one, then predict on files, sequences or tables."""

from genoformer.api.model import Model, load_model
from genoformer.api.predictions import Predictions
from genoformer.api.sources import Source

__all__ = ["Model", "Predictions", "Source", "load_model"]
