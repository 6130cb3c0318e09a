"""What can be learned and predicted: one folder per task, with the same file names in each, and one row here.

``APPLICATIONS`` is the only place where tasks are told apart. Commands look a task up by its name and know nothing else
of it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genoformer.applications.interface import Application
from genoformer.errors import DataError, UsageError
from genoformer.inference.formats import file_names
from genoformer.inference.parts import Loaded, Part

if TYPE_CHECKING:
    from genoformer.tasks.interface import Task

_HERE, _TASKS = "genoformer.applications", "genoformer.tasks"

APPLICATIONS: dict[str, Application] = {
    "gene_structure": Application(
        title="genes without introns: bacteria, archaea, phages",
        subject="genes",
        task=Part(f"{_TASKS}.gene_structure:build"),
        data=Part(f"{_HERE}.genes.data:GenomeData"),
        callbacks=Part(f"{_HERE}.genes.callbacks:build_callbacks"),
        finish=Part(f"{_HERE}.genes.calibrate:FINISH"),
        request=Part(f"{_HERE}.genes.request:GeneRequest"),
        predictor=Part(f"{_HERE}.genes.predict:GenePredictor"),
        caller=Part(f"{_HERE}.genes.caller:GeneFinder"),
        formats=Part(f"{_HERE}.genes.outputs:FORMATS"),
        compare=Part(f"{_HERE}.genes.evaluate:COMPARISON"),
        adaptation=Part(f"{_HERE}.adapt.genes:ADAPTATION"),
        scores={"gene_f1": "genes whose stop codon is right", "gene_exact_f1": "genes whose start is right, too"},
        variants=Part(f"{_HERE}.genes.variants:GeneVariants"),
    ),
    "gene_structure_eukaryote": Application(
        title="genes with introns",
        subject="genes",
        task=Part(f"{_TASKS}.gene_structure_eukaryote:build"),
        data=Part(f"{_HERE}.introns.data:IntronData"),
        finish=Part(f"{_HERE}.introns.calibrate:FINISH"),
        request=Part(f"{_HERE}.genes.request:GeneRequest"),
        predictor=Part(f"{_HERE}.introns.predict:IntronPredictor"),
        caller=Part(f"{_HERE}.introns.caller:IntronGeneFinder"),
        formats=Part(f"{_HERE}.genes.outputs:FORMATS"),
        compare=Part(f"{_HERE}.introns.evaluate:COMPARISON"),
        adaptation=Part(f"{_HERE}.adapt.introns:ADAPTATION"),
        scores={
            "codon_0_f1": "first bases of codons",
            "donor_f1": "first bases of introns",
            "acceptor_f1": "first bases behind introns",
        },
        variants=Part(f"{_HERE}.introns.variants:IntronVariants"),
        takes_hints=True,
    ),
    "function": Application(
        title="classes, terms or numbers of whole sequences",
        subject="functions",
        task=Part(f"{_TASKS}.function:build"),
        data=Part(f"{_HERE}.functions.data:TableData"),
        recipe=Part(f"{_HERE}.functions.recipe:choose"),
        finish=Part(f"{_HERE}.functions.calibrate:FINISH"),
        request=Part(f"{_HERE}.functions.request:FunctionRequest"),
        predictor=Part(f"{_HERE}.functions.predict:FunctionPredictor"),
        caller=Part(f"{_HERE}.functions.caller:FunctionCaller"),
        formats=Part(f"{_HERE}.functions.outputs:FORMATS"),
        compare=Part(f"{_HERE}.functions.evaluate:COMPARISON"),
        baseline=Part(f"{_HERE}.functions.baseline:compare_run"),
        scores={
            "accuracy": "share of sequences whose class is right",
            "macro_f1": "mean F1 of all classes",
            "micro_fmax": "F1 over all terms at the best threshold",
            "micro_aupr": "precision over recall of all terms",
            "r2": "share of the variance that is explained",
            "rmse": "usual size of an error, in standard deviations",
        },
        variants=Part(f"{_HERE}.functions.variants:FunctionVariants"),
    ),
    "rna_pairs": Application(
        title="base pairs of RNA",
        subject="rna_pairs",
        task=Part(f"{_TASKS}.rna_pairs:build"),
        data=Part(f"{_HERE}.rna_pairs.data:PairData"),
        finish=Part(f"{_HERE}.rna_pairs.calibrate:FINISH"),
        request=Part(f"{_HERE}.rna_pairs.request:PairRequest"),
        predictor=Part(f"{_HERE}.rna_pairs.predict:PairPredictor"),
        caller=Part(f"{_HERE}.rna_pairs.caller:PairCaller"),
        formats=Part(f"{_HERE}.rna_pairs.outputs:FORMATS"),
        compare=Part(f"{_HERE}.rna_pairs.evaluate:COMPARISON"),
        baseline=Part(f"{_HERE}.rna_pairs.baseline:compare_pairs_run"),
        scores={"f1": "base pairs, mean over RNAs", "precision": "of the pairs", "recall": "of the pairs"},
    ),
    "codon_structure": Application(
        title="secondary structure of proteins from coding sequences",
        subject="codon_structure",
        task=Part(f"{_TASKS}.codon_structure:build"),
        data=Part(f"{_HERE}.codon_structure.data:CodonData"),
        finish=Part(f"{_HERE}.codon_structure.calibrate:FINISH"),
        request=Part(f"{_HERE}.codon_structure.request:CodonRequest"),
        predictor=Part(f"{_HERE}.codon_structure.predict:CodonPredictor"),
        caller=Part(f"{_HERE}.codon_structure.caller:CodonCaller"),
        formats=Part(f"{_HERE}.codon_structure.outputs:FORMATS"),
        compare=Part(f"{_HERE}.codon_structure.evaluate:COMPARISON"),
        baseline=Part(f"{_HERE}.codon_structure.baseline:compare_codons_run"),
        scores={"accuracy": "share of codons whose state is right", "macro_f1": "mean F1 of all states"},
    ),
    "contacts": Application(
        title="residue contacts from coding sequences (experimental)",
        subject="contacts",
        task=Part(f"{_TASKS}.contacts:build"),
        data=Part(f"{_HERE}.contacts.data:ContactData"),
        finish=Part(f"{_HERE}.contacts.calibrate:FINISH"),
        request=Part(f"{_HERE}.contacts.request:ContactRequest"),
        predictor=Part(f"{_HERE}.contacts.predict:ContactPredictor"),
        caller=Part(f"{_HERE}.contacts.caller:ContactCaller"),
        formats=Part(f"{_HERE}.contacts.outputs:FORMATS"),
        compare=Part(f"{_HERE}.contacts.evaluate:COMPARISON"),
        scores={
            "long_L/5": "true among the best L/5 pairs of residues 24 or more apart",
            "long_L": "true among the best L",
        },
    ),
    "mlm": Application(
        title="a masked language model of bases, to start other tasks from",
        subject="bases",
        task=Part(f"{_TASKS}.mlm:build"),
        data=Part(f"{_HERE}.pretraining.data:PretrainingData"),
        caller=Part(f"{_HERE}.pretraining.caller:BaseCaller"),
        scores={"bits_per_base": "2 is a guess", "accuracy": "share of bases that are told right"},
    ),
    "clm": Application(
        title="a language model of the next base, to generate sequence and to start other tasks from",
        subject="bases",
        task=Part(f"{_TASKS}.clm:build"),
        data=Part(f"{_HERE}.pretraining.next_base_data:NextBaseData"),
        caller=Part(f"{_HERE}.pretraining.next_base_caller:NextBaseCaller"),
        scores={"bits_per_base": "2 is a guess", "accuracy": "share of bases that are told right"},
    ),
}
"""By the name of the task, as configurations and bundles have it."""

DEFAULT_TASK = next(iter(APPLICATIONS))
"""What a configuration without a task is about."""


def find_application(task: str, *, where: str) -> Application:
    """The row of a task that a bundle names.

    Args:
        task: Its name.
        where: The bundle, for the message.

    Raises:
        DataError: If there is none.
    """
    if not isinstance(task, str) or task not in APPLICATIONS:
        message = f'the task "{task}" is unknown; known: {", ".join(APPLICATIONS)}.'
        raise DataError("MODEL-005", message, where=where)
    return APPLICATIONS[task]


def configured_application(task: str) -> Application:
    """The row of a task that a configuration names.

    Raises:
        UsageError: If there is none.
    """
    if task not in APPLICATIONS:
        message = f'expected one of {", ".join(APPLICATIONS)}, found "{task}".'
        raise UsageError("CONFIG-004", message, where="model.task")
    return APPLICATIONS[task]


def needed(part: Part[Loaded] | None, task: str) -> Loaded:
    """A part that a command cannot do without, loaded.

    Raises:
        UsageError: If the task has none.
    """
    if part is None:
        raise UsageError("MODEL-024", f"a model for {task} predicts nothing by itself.", where=task)
    return part.load()


def result_names() -> list[str]:
    """Names, and patterns of names, of the results of all tasks: what may lie in the folder of a prediction."""
    rows = (application.formats.load() for application in APPLICATIONS.values() if application.formats)
    return list(dict.fromkeys(name for formats in rows for name in file_names(formats)))


def build_task(
    name: str, channels: Sequence[str] = (), options: Mapping[str, Any] | None = None,
    ontology: Mapping[str, Any] | None = None,
) -> "Task":  # fmt: skip
    """A task by name; see ``tasks.interface.BuildTask``.

    Raises:
        UsageError: If there is no such task.
        ValueError: If a setting is unknown or out of range.
    """
    return configured_application(name).task.load()(channels, options, ontology)
