"""Mutants that change nothing which anyone can see, each with the reason."""

_PIECES = "the size of pieces in which something is gone through; any gives the same"
_BEHIND_THE_MARK = "a line end is looked for behind the mark of the line, so that it is never found at 0"
EQUIVALENT: dict[str, str] = {
    "genoformer/annotation/gff3_rows.py:110 continue → pass": "nothing comes behind it in the loop",
    "genoformer/annotation/origin.py:44 start < length_bp → start <= length_bp": (
        "of a part that begins where the sequence ends no base is counted"
    ),
    "genoformer/decoding/masking.py:82 intervals + margin + turn * length → intervals + margin - turn * length": (
        "turns go to both sides alike"
    ),
    "genoformer/files/temporary_names.py:19 50 → 51": "how soon a folder is looked at again, which shows nowhere",
    "genoformer/files/temporary_names.py:84 return False → return None": "asked only whether it holds",
    "genoformer/sequence/byte_chunks.py:103 18 → 19": "a file of 18 bytes lacks the end of what was compressed",
    "genoformer/sequence/fasta.py:100 1 → 2": _PIECES,
    "genoformer/sequence/fasta.py:290 16 → 17": _PIECES,
    "genoformer/sequence/fasta_parts.py:33 0 → 1": _BEHIND_THE_MARK,
    "genoformer/sequence/fasta_parts.py:35 end < 0 → end <= 0": _BEHIND_THE_MARK,
    "genoformer/sequence/fasta_parts.py:54 end >= 0 → end > 0": _BEHIND_THE_MARK,
    "genoformer/sequence/fasta_parts.py:56 0 → 1": _BEHIND_THE_MARK,
}
"""Reason by file, line and change."""


def reason_of(name: str) -> str | None:
    """Why a mutant is equivalent; None if it is not."""
    return EQUIVALENT.get(name)
