"""Digests of what a bundle holds besides its weights."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def decoder_digest(calibration: Mapping[str, Any]) -> str:
    """SHA-256 of what a calibration says of the decoder: what provenance records."""
    return hashlib.sha256(json.dumps(calibration.get("decoder"), sort_keys=True).encode()).hexdigest()
