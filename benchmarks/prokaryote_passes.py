"""What networks say of the genomes of a table, kept on disk, for ``prokaryotes.py``."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from genoformer.applications.genes.held import FRAGMENT_BP, Held, Stretch, cut_genes
from genoformer.applications.genes.left_out import Reading, load_passes, save_passes, weigh
from genoformer.bundle.folder import Bundle, load_bundle
from genoformer.genomes.genome_table import TableGenome
from genoformer.genomes.prepare import prepare_store
from genoformer.genomes.store import Store
from genoformer.stream import fastest_precision


class Passes:
    """What networks say of the genomes of a table.

    Args:
        model_of: The model that reads a genome.
        table: The genomes.
        folder: Where the store and the passes are kept.
        n_bases: Read of each genome, its longest records first.
    """

    def __init__(
        self, model_of: Callable[[TableGenome], str | Path], table: list[TableGenome], folder: Path, n_bases: int
    ) -> None:
        self.model_of, self.folder = model_of, folder
        self.loaded: dict[str | Path, Bundle] = {}
        self.rows = {genome.files.name: genome for genome in table}
        folder.mkdir(parents=True, exist_ok=True)
        prepare_store(folder / "genomes.h5", [genome.files for genome in table])
        self.reading = Reading(Store(folder / "genomes.h5"), [], n_bases, fastest_precision(torch.device("cpu")))

    def of(self, name: str) -> list[Held]:
        """The records of a genome that have a frame at all."""
        path = self.folder / f"{name}.npz"
        held = load_passes(path, self.reading, name)
        if held is None:
            held = self.reading.read(self._bundle(self.model_of(self.rows[name])), name, lambda n: None)
            save_passes(path, held)
        return [h for h in held if len(h.candidates)]

    def fitted(self, names: Iterable[str], n_bases: int) -> list[Held]:
        """What a decoder is fitted to: the first bases of some genomes, groups alike, as ``fit`` weighs them."""
        return weigh([h for name in names for h in first_bases(self.of(name), n_bases)], list(self.rows.values()))

    def _bundle(self, model: str | Path) -> Bundle:
        if model not in self.loaded:
            self.loaded = {model: load_bundle(model)}
        return self.loaded[model]


def first_bases(held: list[Held], n_bases: int) -> list[Held]:
    """Passes over the first bases of the records of a genome."""
    found = []
    for h in held:
        found.append(h if len(h.codes) <= n_bases else first_of(h, n_bases))
        n_bases -= len(found[-1].codes)
        if n_bases < FRAGMENT_BP:
            break
    return found


def first_of(h: Held, n_bases: int) -> Held:
    """The pass over a record as if it ended there, without the frames that go on."""
    whole, genes = (0, len(h.codes)), cut_genes(h.inside[0].genes, 0, n_bases)

    def within(rows: np.ndarray) -> np.ndarray:
        return rows[~np.isin(rows["orf"], rows["orf"][rows["end"] > n_bases])]

    inside = [
        Stretch(within(part.candidates), genes, (0, n_bases)) if part.bounds == whole else part
        for part in h.inside
        if part.bounds == whole or part.bounds[1] <= n_bases
    ]
    pieces = [piece for piece in h.pieces if piece.begin + len(piece.codes) <= n_bases]
    return replace(h, codes=h.codes[:n_bases], candidates=within(h.candidates), inside=inside, pieces=pieces)
