"""Columns of GFF3 as they are written, escaped as the format demands.

Reference: https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md, version 1.26.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from genoformer.sequence.records import Record

SOURCE = "genoformer"
SEQID_SAFE = ".:^*$@!+_?-|"  # section "Column 1: seqid"
_RESERVED = re.compile(r"[\x00-\x1f\x7f%;=&,]")
Value = str | tuple[str, ...]


def seqid(record: Record) -> str:
    """The id as column 1 has it."""
    return quote(record.id, safe=SEQID_SAFE)


def attributes_text(attributes: Mapping[str, Value]) -> str:
    """Column 9: empty values are left out, the items of a tuple are separated by commas."""
    texts = {name: (value,) if isinstance(value, str) else value for name, value in attributes.items() if value}
    return ";".join(f"{name}={','.join(_escape(item) for item in items)}" for name, items in texts.items())


def _escape(value: str) -> str:
    return _RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", value)
