"""Digests of what a bundle holds besides its weights."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

RNA = "rna"
"""Where ``calibration.json`` holds profiles of RNA genes."""
RELATIVES = "relatives"
"""Where the calibration of a function model holds its training proteins."""


def fitted_record(fitted: Any) -> Any:
    """What provenance records of the calibration of a task: all of it, of training proteins their SHA-256."""
    if not isinstance(fitted, Mapping) or RELATIVES not in fitted:
        return fitted
    return {**fitted, RELATIVES: hashlib.sha256(json.dumps(fitted[RELATIVES], sort_keys=True).encode()).hexdigest()}


def decoder_digest(calibration: Mapping[str, Any]) -> str:
    """SHA-256 of what a calibration says of the decoder and of profiles of RNA: what provenance records."""
    decoder = calibration.get("decoder")
    said = [decoder, calibration[RNA]] if RNA in calibration else decoder
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
