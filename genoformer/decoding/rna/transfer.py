"""Genes of tRNA: cloverleaves that are worth enough, and what their anticodons mean."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genoformer.annotation.genetic_code import translate
from genoformer.decoding.rna.cloverleaf import LOOP_BP, STEM_BP, Cloverleaf, find_leaves, t_loops
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement

LEAST_LEAF = 8.0
"""Natural logarithm of the odds of a cloverleaf that is looked at: below it there is about one in a million bases."""
AMINO_ACIDS = dict(
    zip(
        "ARNDCQEGHILKMFPSTWYV",
        "Ala Arg Asn Asp Cys Gln Glu Gly His Ile Leu Lys Met Phe Pro Ser Thr Trp Tyr Val".split(),
        strict=True,
    )
)
OF_STOPS = {"TCA": "Sec", "CTA": "Pyl"}
"""tRNAs of selenocysteine and pyrrolysine, whose anticodons fit codons that stop elsewhere."""


@dataclass(frozen=True)
class TrnaHit:
    """A cloverleaf on the strand that was read.

    Attributes:
        start: First base.
        end: One past the last.
        score: Natural logarithm of the odds.
        anticodon: Its letters, 5' to 3'.
    """

    start: int
    end: int
    score: float
    anticodon: str


@dataclass(frozen=True)
class TrnaSearch:
    """A cloverleaf made ready to be searched for."""

    leaf: Cloverleaf

    @cached_property
    def _loops(self) -> np.ndarray:
        return t_loops(self.leaf.bases)

    def hits(self, codes: np.ndarray) -> list[TrnaHit]:
        """Cloverleaves of one strand, by place.

        Args:
            codes: uint8 base codes, none above 4, [L].
        """
        worths, places = find_leaves(codes, self._loops, self.leaf.tables, np.float32(LEAST_LEAF))
        found = []
        for worth, (start, end, _, arm, *_) in zip(worths.tolist(), places.tolist(), strict=True):
            at = arm + STEM_BP + (LOOP_BP - 3) // 2
            found.append(TrnaHit(start, min(end, len(codes)), worth, decode_bases(codes[at : at + 3])))
        return found


def trna_product(anticodon: str, genetic_code: int) -> str:
    """What a tRNA is called: tRNA-Ala(TGC); its amino acid by the genetic code, "OTHER" where that is not known.

    A tRNA with anticodon CAT may begin proteins, go on with them, or carry isoleucine: it is called tRNA-Met.

    Args:
        anticodon: Three letters, 5' to 3'.
        genetic_code: NCBI number.
    """
    letter = translate(reverse_complement(encode_bases(anticodon)), genetic_code)
    name = OF_STOPS.get(anticodon, "Sup") if letter == "*" else AMINO_ACIDS.get(letter, "OTHER")
    return f"tRNA-{name}({anticodon})"
