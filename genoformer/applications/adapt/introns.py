"""What adapting a model for genes with introns does in its own way: scores of held-out regions, and the decoder."""

from dataclasses import replace
from typing import Any

import numpy as np

from genoformer.applications.adapt.interface import Adaptation, Labels, Trained
from genoformer.applications.introns.calibrate import count_region_genes, fit_intron_decoder, follow_genes, hold_region
from genoformer.applications.introns.caller import CalibratedDecoder, IntronGeneFinder
from genoformer.bundle.folder import Bundle
from genoformer.decoding.caller import record_stop_rate
from genoformer.decoding.introns.pseudo_labels import frame_of_chance, intron_pseudo_labels
from genoformer.decoding.options import CallOptions
from genoformer.decoding.pseudo_labels import PseudoLabelRules
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.metrics.introns import IntronCounts
from genoformer.tasks import gene_structure_eukaryote

MIN_DECODER_GENES = 50
"""Held-out genes that ten weights and a confidence map are fitted to."""


def score_held_out_introns(
    finder: IntronGeneFinder, bundle: Bundle, store: Store, regions: list[Region]
) -> dict[str, float | int]:
    """Scores of genes and bases against the labels of a store.

    Args:
        finder: Its decoder and tiles are used.
        bundle: Whose weights are scored.
        store: Sequences and labels.
        regions: Where to score; genes that are not whole inside a region do not count, their bases do.

    Returns:
        The last three of ``held_out.SCORES``, and "n_predicted" and "n_genes".
    """
    total = IntronCounts()
    for region in regions:
        held = hold_region(bundle.model, bundle.tokenizer, finder.plan, store, region)
        total += count_region_genes(finder.decoder.decoder, held)
    scores = total.compute()
    return {
        "chain_f1": scores["chain"]["f1"],
        "exon_f1": scores["exon"]["f1"],
        "base_mcc": scores["bases"]["mcc_stranded"],
        "n_predicted": total.predicted["chain"],
        "n_genes": total.reference["chain"],
    }


def _decoder(finder: IntronGeneFinder, trained: Trained) -> tuple[CalibratedDecoder, str]:
    """With ``MIN_DECODER_GENES`` held-out genes a fitted one.

    With fewer that of the given model, but with lengths and sites of the genes that were trained on. Own calls
    teach the network alone: a decoder fitted to them would agree with itself.
    """
    bundle, regions = trained.bundle, trained.regions
    if not trained.is_annotated:
        return finder.decoder, "kept"
    if trained.n_genes >= MIN_DECODER_GENES:
        parts = (regions["train"], regions["validation"])
        return fit_intron_decoder(bundle.model, bundle.tokenizer, finder.plan, trained.store, *parts), "fitted"
    followed = follow_genes(finder.decoder.decoder, trained.store, regions["train"])
    return replace(finder.decoder, decoder=followed), "lengths"


def _score(
    finder: IntronGeneFinder, bundle: Bundle, store: Store, regions: list[Region], labels: Labels
) -> dict[str, Any]:
    return score_held_out_introns(finder, bundle, store, regions)


def _own_labels(
    finder: IntronGeneFinder, codes: np.ndarray, candidates: np.ndarray, options: CallOptions, statistics: Any,
    rules: PseudoLabelRules,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    frame = frame_of_chance(record_stop_rate(codes, options), -rules.long_frame)
    genes = finder.genes("", codes, candidates, options)
    return intron_pseudo_labels(
        codes, genes, genetic_code=options.genetic_code, sure=rules.sure_chain, shortest_frame=frame
    )


ADAPTATION = Adaptation(
    build_task=gene_structure_eukaryote.build, find_with=IntronGeneFinder, labels="introns", own_labels=_own_labels,
    has_statistics=False, assumes_own_code=True, score=_score, decoder=_decoder,
)  # fmt: skip
