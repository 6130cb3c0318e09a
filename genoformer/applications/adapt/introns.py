"""What adapting a model for genes with introns does in its own way: scores of held-out regions, and the decoder."""

from dataclasses import replace

from genoformer.applications.introns.calibrate import count_region_genes, fit_intron_decoder, follow_genes, hold_region
from genoformer.applications.introns.caller import CalibratedDecoder, IntronGeneFinder
from genoformer.bundle import Bundle
from genoformer.errors import UsageError
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.metrics.introns import IntronCounts

MIN_DECODER_GENES = 50
"""Held-out genes that ten weights and a confidence map are fitted to."""


def check_annotated(finder: object, annotation: list[str] | None) -> None:
    """Own calls are no labels here: a gene that misses an exon would teach to miss it.

    Raises:
        UsageError: For a model for genes with introns, without annotation.
    """
    if annotation is None and isinstance(finder, IntronGeneFinder):
        message = "a model for genes with introns is adapted to an annotation, not to its own calls."
        raise UsageError("ADAPT-007", message, where="adapt", fix="Run genoformer adapt with --annotation FILE.")


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


def intron_decoder_for(
    finder: IntronGeneFinder, trained: Bundle, store: Store, regions: dict[str, list[Region]], n_genes: int
) -> tuple[CalibratedDecoder, str]:
    """A decoder for the new weights, and how it came about.

    Args:
        finder: The given model.
        trained: The new weights.
        store: Sequences and labels.
        regions: By part of the split.
        n_genes: Whole genes in the validation part.

    Returns:
        With ``MIN_DECODER_GENES`` held-out genes a fitted one, "fitted". With fewer that of the given model, but with
        lengths and sites of the genes that were trained on, "lengths".
    """
    if n_genes >= MIN_DECODER_GENES:
        parts = (regions["train"], regions["validation"])
        return fit_intron_decoder(trained.model, trained.tokenizer, finder.plan, store, *parts), "fitted"
    followed = follow_genes(finder.decoder.decoder, store, regions["train"])
    return replace(finder.decoder, decoder=followed), "lengths"
