"""Contacts of a labelled coding sequence: the label names a structure file and a chain."""

from pathlib import Path

import numpy as np

from genoformer.annotation.genetic_code import translate
from genoformer.errors import DataError
from genoformer.labels.tables import LabelledSequence
from genoformer.structures.contacts import contact_labels, place_chain, read_chain

CODON_BP = 3


def read_contacts(example: LabelledSequence, folder: Path, genetic_code: int) -> np.ndarray:
    """Contacts of the protein of a coding sequence, int8 [T, T], see ``structures.contacts``.

    Args:
        example: The label is FILE:CHAIN.
        folder: What FILE is relative to.
        genetic_code: NCBI number.

    Raises:
        MissingFileError: If the file is not there.
        DataError: If the bases are no whole codons, the file holds no such chain, or the chain does not fit.
    """
    file, colon, name = example.label.rpartition(":")
    if not colon or not file:
        raise DataError("CONTACTS-004", f"expected FILE:CHAIN, found {example.label!r}.", where=example.where)
    if len(example.codes) % CODON_BP:
        raise DataError("CONTACTS-005", f"{len(example.codes)} bases are no whole codons.", where=example.where)
    chain = read_chain(folder / file, name, example.where)
    places = place_chain(chain, translate(example.codes, genetic_code), folder / file, example.where)
    return contact_labels(places)
