"""How much of a text file is held at once, and how much of it may say nothing: far beyond what any real file has.

A small compressed file can unfold to more than any machine holds: a line without end, or comments without a row. Lines
of FASTA, which are read in pieces, have no limit.
"""

MOST_LINE_BYTES = 1 << 24
"""Of a line of a text file."""
MOST_WIDE_LINE_BYTES = 1 << 26
"""Of a line of VCF, which may have a million samples, of a table, and of dot-bracket: both may hold long sequences."""
MOST_COLUMNS = 2_000_000
"""Of such a line."""
MOST_COMMENT_LINES = 5_000_000
"""Comments and empty lines without anything between them."""
MOST_COMMENT_BYTES = 1 << 28
"""The same, as bytes."""
