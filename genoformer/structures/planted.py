"""Made-up coding sequences whose contacts can be known: at both ends of a contact stand codons that belong together."""

from dataclasses import dataclass

import numpy as np

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.structures.contacts import APART, CONTACT


@dataclass(frozen=True, eq=False)
class PlantedChain:
    """A coding sequence with its contacts.

    Attributes:
        codes: uint8 base codes, [3 T].
        labels: Contacts, int8 [T, T], see ``structures.contacts``.
    """

    codes: np.ndarray
    labels: np.ndarray


def plant_contacts(
    n_chains: int, *, n_codons: int = 60, n_contacts: int = 10, min_separation: int = 6, seed: int = 0
) -> list[PlantedChain]:
    """Chains with contacts at random places, the same belonging codons in all of them.

    Twice ``n_contacts`` of the 61 sense codons, drawn once, stand at contacts only, each at most once in a chain; the
    others are drawn evenly everywhere else. So one chain tells its contacts to whoever knows which codons belong
    together, and many chains tell which do.

    Args:
        n_chains: Number of chains.
        n_codons: Codons of each, T.
        n_contacts: Contacts of each.
        min_separation: Codons between the ends of a contact, at least.
        seed: Of everything drawn.
    """
    rng = np.random.default_rng(seed)
    sense = rng.permutation(np.flatnonzero(~get_genetic_code(1).stop_mask))
    belonging, others = sense[: 2 * n_contacts].reshape(-1, 2), sense[2 * n_contacts :]
    return [_plant(belonging, others, n_codons, min_separation, rng) for _ in range(n_chains)]


def _plant(
    belonging: np.ndarray, others: np.ndarray, n_codons: int, min_separation: int, rng: np.random.Generator
) -> PlantedChain:
    codons = rng.choice(others, n_codons)
    labels = np.full((n_codons, n_codons), APART, np.int8)
    free = list(rng.permutation(n_codons))
    for pair in belonging:
        i = free.pop()
        j = next((place for place in free if abs(place - i) >= min_separation), None)
        if j is None:
            continue
        free.remove(j)
        codons[i], codons[j] = pair if i < j else pair[::-1]
        labels[i, j] = labels[j, i] = CONTACT
    bases = np.stack((codons >> 4, codons >> 2 & 3, codons & 3), axis=1).astype(np.uint8)
    return PlantedChain(bases.ravel(), labels)
