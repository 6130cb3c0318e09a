"""What can be learned: one module per task, named in ``TASKS``.

A task names its ``level`` ("base", "token", "sequence" or "pair"), its ``strands``, the ``data`` that it learns from
(see ``training.data_modules``) and, if these are genomes, the kind of ``labels``; its ``channels``, ``initial_logits``,
``loss(logits, labels)``, ``loss_weight(labels)``, which is what the loss is a mean over, and ``build_scores()``. A task
that has settings, or whose outputs follow from the labels, is made by
``build(channels, options, ontology)`` in its module.
"""

from collections.abc import Mapping, Sequence
from types import ModuleType

import genoformer.tasks.codon_structure as codon_structure
import genoformer.tasks.contacts as contacts
import genoformer.tasks.function as function
import genoformer.tasks.gene_structure as gene_structure
import genoformer.tasks.gene_structure_eukaryote as gene_structure_eukaryote
import genoformer.tasks.mlm as mlm
import genoformer.tasks.rna_pairs as rna_pairs

TASKS: dict[str, ModuleType] = {
    module.name: module
    for module in (gene_structure, gene_structure_eukaryote, function, mlm, rna_pairs, codon_structure, contacts)
}


def build_task(
    name: str,
    channels: Sequence[str] | None = None,
    options: Mapping | None = None,
    ontology: Mapping | None = None,
):
    """The task of a configuration or of a bundle, ready to use.

    Args:
        name: Key of ``TASKS``.
        channels: Names of the outputs, for tasks whose outputs follow from the labels.
        options: Settings of the task.
        ontology: What outputs imply, for tasks whose outputs follow from the labels.

    Raises:
        ValueError: If a setting is unknown or out of range; the sentence names it.
    """
    task = TASKS[name]
    if hasattr(task, "build"):
        implied = {"ontology": ontology} if ontology else {}
        return task.build(tuple(channels or ()), options or {}, **implied)
    if options:
        raise ValueError(f"the task {name} has no settings, found {', '.join(options)}.")
    return task
