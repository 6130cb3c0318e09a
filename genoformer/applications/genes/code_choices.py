"""The genetic code of each record of a prediction, where what the model says is to decide it."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from genoformer.decoding.code_choice import choose_code
from genoformer.decoding.options import CallOptions
from genoformer.decoding.readings import read_with


class CodeChoices:
    """Decides the code of each record when it is first looked at, and remembers it: a byte for each record.

    Args:
        finder: Has the decoder, see ``caller.GeneFinder``.
    """

    def __init__(self, finder: Any) -> None:
        self._finder = finder
        self._known = bytearray()

    def read(
        self, number: int, codes: np.ndarray, candidates: np.ndarray, options: CallOptions
    ) -> tuple[np.ndarray, CallOptions]:
        """Candidates and options of a record under its code; both as they are where it was given.

        Args:
            number: Of the record in the input.
            codes: uint8 base codes of the record, [L].
            candidates: Of the model pass.
            options: Of the model pass.
        """
        if options.other_code is None:
            return candidates, options
        self._known.extend(bytes(max(number + 1 - len(self._known), 0)))
        if not self._known[number]:
            opened = self._finder.opened(codes, options)
            margin = (len(opened) - len(codes)) // 2
            self._known[number] = choose_code(opened, candidates, self._finder.decoder, options, margin)
        code = self._known[number]
        return read_with(candidates, code, options), replace(options, genetic_code=code, other_code=None)


class CodeTally:
    """Counts records by their code.

    Args:
        options: Of the model pass.
    """

    def __init__(self, options: CallOptions) -> None:
        self._options = options
        self._counts: Counter[int] = Counter()
        self._others: dict[int, list[str]] = {}

    def add(self, record_id: str, genetic_code: int) -> None:
        """Count a record that was read with this code."""
        self._counts[genetic_code] += 1
        if genetic_code != self._options.genetic_code:
            self._others.setdefault(genetic_code, []).append(record_id)

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says; nothing where the code was given."""
        if self._options.other_code is None:
            return {}
        return {
            "records_by_genetic_code": {str(code): n for code, n in sorted(self._counts.items())},
            "other_genetic_codes": {str(code): ids for code, ids in sorted(self._others.items())},
        }
