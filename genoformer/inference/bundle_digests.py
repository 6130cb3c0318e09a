"""Digests of what a bundle holds besides its weights."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

RNA = "rna"
"""Where ``calibration.json`` holds profiles of RNA genes."""


def decoder_digest(calibration: Mapping[str, Any]) -> str:
    """SHA-256 of what a calibration says of the decoder and of profiles of RNA: what provenance records."""
    decoder = calibration.get("decoder")
    said = [decoder, calibration[RNA]] if RNA in calibration else decoder
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
