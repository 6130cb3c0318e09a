"""Profiles of RNA genes, learned from the labels of a store when a model is finished."""

from collections.abc import Iterator, Sequence
from typing import Any

from genoformer.decoding.rna.finder import RnaFinder
from genoformer.decoding.rna.learn import Labelled, learn_rna
from genoformer.genomes.genome_table import TableGenome
from genoformer.genomes.prepare import RNA_LABELS
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.inference.bundle_digests import RNA
from genoformer.training.progress import stage


def fit_profiles(data: Any) -> dict[str, Any]:
    """The entry of ``calibration.json``; none where the store has no labels of RNA genes.

    Args:
        data: Data of the run, set up: everything is learned from but genomes of weight 0 and what is kept for tests.
    """
    if data.store.parameters.get("labels") != RNA_LABELS:
        return {}
    learned = learn_from_store(data.store, data.table, data.parts.get("test", []))
    return {} if learned is None else {RNA: learned.to_dict()}


def learn_from_store(store: Store, table: Sequence[TableGenome], test: Sequence[Region]) -> RnaFinder | None:
    """Profiles of the RNA genes of a store; None where it has none.

    Args:
        store: With labels of RNA genes.
        table: Groups and weights of the genomes; empty where there are none.
        test: What is not learned from.
    """
    rows = {genome.files.name: genome for genome in table}
    records = [r for r in store.records if r.genome not in rows or rows[r.genome].weight != 0]
    n_bases = sum(record.length for record in records)
    with stage("learning RNA genes", 2 * n_bases, "bp") as shown:

        def read() -> Iterator[Labelled]:
            for record in records:
                tracks = store.tracks(record.index, 0, record.length)
                for region in test:
                    if region.record == record.index:
                        tracks[:, region.start : region.end] = 0
                group = rows[record.genome].group or "" if record.genome in rows else ""
                yield Labelled(record.genome, group, store.bases(record.index, 0, record.length), tracks)
                shown.advance(record.length)

        return learn_rna(read)
