"""The register of error and warning codes: one meaning for each.

It stands with the command line, since it is written for its users and names its options, which nothing below knows; no
module reads it at run time. A code that was given up does not come back with another meaning: a new rule takes the
number after the highest of its prefix, a new warning one above 100. ``docs/errors.md`` is made from here by
``scripts/error_page.py``; ``tests/test_error_codes.py`` compares the register with the source.
"""

from genoformer.cli.error_codes.entry import Entry
from genoformer.cli.error_codes.input_codes import INPUT_CODES, INPUT_PREFIXES
from genoformer.cli.error_codes.result_codes import RESULT_CODES, RESULT_PREFIXES
from genoformer.cli.error_codes.training_codes import TRAINING_CODES, TRAINING_PREFIXES

PREFIXES: dict[str, str] = {**INPUT_PREFIXES, **TRAINING_PREFIXES, **RESULT_PREFIXES}
"""What the codes of a prefix are about."""

ERROR_CODES: dict[str, Entry] = {**INPUT_CODES, **TRAINING_CODES, **RESULT_CODES}
"""Every code of the package, in the order of the prefixes."""
