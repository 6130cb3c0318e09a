"""What variants change about genes with introns, as a model finds them: also about their splice sites."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.models import Gene
from genoformer.applications.genes.variants import GeneVariants
from genoformer.applications.introns.caller import IntronGeneFinder
from genoformer.decoding.introns.stream import decode_record
from genoformer.decoding.options import CallOptions


class IntronVariants(GeneVariants):
    """A model of genes with introns; see ``variants.interface.VariantModel``."""

    find_with: ClassVar[type[Any]] = IntronGeneFinder
    margin_bp: ClassVar[int] = 20_000

    def decoder(self, codes: np.ndarray, call: CallOptions) -> Callable[..., list[Gene]]:
        """Decodes stretches of a record."""
        return partial(decode_stretch, self.finder, call)


def decode_stretch(
    finder: IntronGeneFinder, call: CallOptions, codes: np.ndarray, logits: np.ndarray, *, is_first: bool, is_last: bool
) -> list[Gene]:
    """Genes of a stretch of a record, whose ends cut off what reaches over them; see ``variants.gene_windows.Decode``.

    Args:
        finder: The model.
        call: Genetic code, shortest gene, gaps.
        codes: Of the stretch.
        logits: Of the stretch.
        is_first: It begins with the record: makes no difference.
        is_last: It ends with it: likewise.
    """
    code = get_genetic_code(call.genetic_code)
    pieces = iter([(0, len(codes), logits)])
    parts = decode_record(codes, pieces, finder.decoder.decoder, code, max_gap_bp=call.max_gap_bp)
    return finder.genes("", codes, parts, call)
