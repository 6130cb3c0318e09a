"""Labels that are terms of an ontology: with everything that they imply, and what a model must know of their graph."""

from collections.abc import Sequence
from dataclasses import replace

from genoformer.errors import DataError, WarningLog
from genoformer.labels.ontology import Ontology
from genoformer.labels.tables import LabelledSequence
from genoformer.labels.values import split_terms


def with_implied_terms(
    sequences: Sequence[LabelledSequence], ontology: Ontology, separator: str, log: WarningLog
) -> list[LabelledSequence]:
    """The sequences with every term that their labels imply, roots left out; those left without a term are left out.

    Args:
        sequences: With sets of terms as labels.
        ontology: The graph.
        separator: Between the terms of a label.
        log: Counts ids that the ontology does not have, and sequences that are left out.

    Raises:
        DataError: If no label has a term of the ontology.
    """
    found = []
    for sequence in sequences:
        terms, unknown = ontology.implied(split_terms(sequence.label, "multilabel", separator))
        for term in unknown:
            log.add("LABELS-105", f'{sequence.where}: "{term}" is no term of the ontology; it is left out.')
        if terms:
            found.append(replace(sequence, label=separator.join(sorted(terms))))
        else:
            log.add("LABELS-106", f"{sequence.where}: no term of the ontology but roots; the row is left out.")
    if sequences and not found:
        raise DataError(
            "LABELS-015", f'no label is a term of the ontology, the first is "{sequences[0].label[:60]}".',
            where=sequences[0].where, fix="Look at data.ontology and data.label_separator.",
        )  # fmt: skip
    return found


def describe_terms(terms: Sequence[str], ontology: Ontology) -> dict:
    """What a model knows of its terms, JSON types; see ``tasks.function.Function``.

    Raises:
        DataError: If one is no term of the ontology.
    """
    if unknown := [term for term in terms if term not in ontology.parents]:
        raise DataError(
            "LABELS-015", f'"{unknown[0]}" is a root or no term of the ontology.', where="data.classes",
            fix="Leave out roots; they are true of everything.",
        )  # fmt: skip
    return {
        "implied": ontology.among(terms),
        "names": {term: ontology.names[term] for term in terms},
        "namespaces": {term: ontology.namespaces[term] for term in terms},
    }
