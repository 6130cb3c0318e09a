"""What adapting a model for genes without introns does in its own way."""

from typing import Any

import numpy as np

from genoformer.applications.adapt.held_out import score_held_out
from genoformer.applications.adapt.interface import Adaptation, Labels, Trained
from genoformer.applications.genes.calibrate import fit_gene_decoder
from genoformer.applications.genes.caller import GeneFinder
from genoformer.bundle.folder import Bundle
from genoformer.decoding.decoder import GeneDecoder
from genoformer.decoding.options import CallOptions
from genoformer.decoding.pseudo_labels import PseudoLabelRules, pseudo_labels
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.tasks import gene_structure

MIN_DECODER_GENES = 200
"""Held-out genes that a decoder is fitted to: it has some forty weights, and two confidence maps."""


def _score(finder: GeneFinder, bundle: Bundle, store: Store, regions: list[Region], labels: Labels) -> dict[str, Any]:
    model, tokenizer = bundle.model, bundle.tokenizer
    return score_held_out(model, tokenizer, finder.plan, store, regions, finder.decoder, labels.statistics)


def _own_labels(
    finder: GeneFinder, codes: np.ndarray, candidates: np.ndarray, options: CallOptions, statistics: Any,
    rules: PseudoLabelRules,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    opened = finder.opened(codes, options)
    return pseudo_labels(codes, candidates, finder.decoder, options, opened=opened, statistics=statistics, rules=rules)


def _decoder(finder: GeneFinder, trained: Trained) -> tuple[GeneDecoder, str]:
    """That of the given model where too few genes were held out, or too little sequence for statistics."""
    if not trained.is_annotated or trained.n_genes < MIN_DECODER_GENES:
        return finder.decoder, "kept"
    bundle, held_out = trained.bundle, trained.regions["validation"]
    decoder = fit_gene_decoder(bundle.model, bundle.tokenizer, finder.plan, trained.store, held_out)
    is_poorer = decoder.adapted is None and finder.decoder.adapted is not None
    return (finder.decoder, "kept") if is_poorer else (decoder, "fitted")


ADAPTATION = Adaptation(
    build_task=gene_structure.build, find_with=GeneFinder, labels="codons", own_labels=_own_labels, has_statistics=True,
    assumes_own_code=False, score=_score, decoder=_decoder,
)  # fmt: skip
