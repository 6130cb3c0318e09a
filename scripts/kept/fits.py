"""How the tiny models are trained: one row for each, and where the configuration keys of another build are entered.

A fit is a shipped configuration made small. ``keep --keys old`` gives the command lines as they stand in ``FITS``;
``--keys new`` renames their keys by ``RENAMED_KEYS`` and then adds what ``NEW_SETTINGS`` says.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec

from kept.names import renamed
from kept.steps import INPUTS, Step, input_path

Settings = dict[str, object]
"""Values by configuration key, as on the command line without the dashes; a word that begins with "@" is an input."""

RENAMED_KEYS: dict[str, str] = {
    "data.batch_size": "data.loader.batch_size",
    "data.samples_per_epoch": "data.loader.samples_per_epoch",
    "data.num_workers": "data.loader.num_workers",
    "data.by": "data.split.by",
    "data.validation": "data.split.validation",
    "data.test": "data.split.test",
    "data.guard_bp": "data.split.guard_bp",
    "data.split": "data.split.file",
    "data.split_seed": "data.split.seed",
    "data.fraction_of_sequences": "data.split.fraction_of_sequences",
    "data.keep_copies": "data.split.keep_copies",
    "data.label_column": "data.columns.label",
    "data.sequence_column": "data.columns.sequence",
    "data.id_column": "data.columns.id",
    "data.group_column": "data.columns.group",
    "data.columns": "data.columns.names",
    "data.recoded": "data.augment.recoded",
    "data.mutated": "data.augment.mutated",
    "data.masked": "data.augment.masked",
    "data.synonymous": "data.augment.synonymous",
    "data.substituted": "data.augment.substituted",
    "model.encoder.window_radius": "model.encoder.attention.window_radius",
    "model.encoder.dilation": "model.encoder.attention.dilation",
    "model.encoder.attention_dropout": "model.encoder.attention.dropout",
    "model.encoder.backend": "model.encoder.attention.backend",
}
"""Configuration key in ``FITS`` → key in the other build. A key stands for all keys that begin with it and a dot:
``{"model.encoder.window_radius": "model.encoder.attention.window_radius", "data.by": "data.split.by"}``."""

NEW_SETTINGS: dict[str, Settings] = {}
"""Settings of the other build, by name of the fit or "*" for all; they replace or join those that were renamed. None as
a value takes a key away: ``{"*": {"model.encoder.attention.name": "longformer"}, "mlm": {"data.run_bp": None}}``."""

COMMON: Settings = {
    "trainer.accelerator": "cpu", "trainer.enable_progress_bar": "false", "trainer.max_steps": 12,
    "trainer.log_every_n_steps": 4, "model.warmup_steps": 3,
}  # fmt: skip
SMALL: Settings = {
    "model.encoder.d_model": 16, "model.encoder.n_heads": 2, "model.encoder.n_layers": 2, "model.encoder.d_ff": 16,
    "model.encoder.window_radius": 8,
}  # fmt: skip
PARTS: Settings = {"data.validation": 0.2, "data.test": 0.2}
GENOME: Settings = {
    "data.fasta": "@genome.fa", "data.annotation": "@genome.gff3", "data.samples_per_epoch": 24, "data.guard_bp": 100,
    "data.validation": 0.3,
}  # fmt: skip
INTRONS: Settings = {
    "data.fasta": "@introns.fa", "data.annotation": "@introns.gff3", "data.source": "made", "data.by": "contig",
    "data.validation": "[made2]", "data.samples_per_epoch": 80, "data.crop_bp": 1536, "model.tile_bp": 3072,
    "model.context_bp": 192, "model.k": 3,
}  # fmt: skip
TABLE: Settings = {
    "data.sequence_column": "dna", "data.label_column": "label", "data.id_column": "id", "data.by": "random",
    "data.batch_size": 16, "data.group_column": "null", "model.options.max_bp": 60, **PARTS,
}  # fmt: skip
BARE: Settings = {
    "data.fasta": "@genome.fa", "data.crop_bp": 512, "data.samples_per_epoch": 24, "data.guard_bp": 100,
    "data.validation": 0.1, "data.test": 0.1, "model.tile_bp": 384, "model.context_bp": 48,
}  # fmt: skip


@dataclass(frozen=True)
class Fit:
    """A shipped configuration and what is changed in it.

    Attributes:
        config: Name of the configuration.
        settings: By key.
        init_from: A bundle of the inputs whose weights training starts from.
        small: The encoder is made as small as ``SMALL`` says.
    """

    config: str
    settings: Settings = field(default_factory=dict)
    init_from: str | None = None
    small: bool = True


FITS: dict[str, Fit] = {
    "genes": Fit("gene_structure_tiny", {**GENOME, "data.recoded": 0.3}, small=False),
    "introns": Fit("gene_structure_eukaryote", {
        **INTRONS, "trainer.max_steps": 80, "model.lr": 0.02, "model.encoder.dilation": "[1, [1, 2]]",
        "model.encoder.base_embedding": "true",
    }),
    "multiclass": Fit("function_gue_tata", {**TABLE, "data.labels": "@kinds.tsv"}),
    "multilabel": Fit("function_yeast_go", {**TABLE, "data.labels": "@terms.tsv", "data.min_examples": 1}),
    "ontology": Fit("function_yeast_go", {
        **TABLE, "data.labels": "@ontology.tsv", "data.ontology": "@terms.obo", "data.min_examples": 1,
    }),
    "regression": Fit("function_uci_splice", {
        **TABLE, "data.labels": "@numbers.tsv", "data.columns": "null", "model.options.kind": "regression",
        "model.options.strands": "average", "model.options.label_smoothing": 0.0, "model.encoder.attention": "full",
    }),
    "headers": Fit("function_gue_tata", {
        **TABLE, "data.fasta": "@sequences.fa", "data.sequence_column": "null", "data.id_column": "null",
        "model.encoder.positions": "none", "model.options.pooling": "cls",
    }),
    "enzymes": Fit("function_ec_class", {
        "data.fasta": "@enzymes.fa", "data.annotation": "@enzymes.gff3", "data.by": "random",
        "data.group_column": "null", "model.options.max_bp": 120, **PARTS,
    }),
    "pairs": Fit("rna_pairs", {"data.labels": "@rnas.dbn", "data.samples_per_epoch": 96, **PARTS}),
    "codons": Fit("codon_structure", {"data.labels": "@codons.tsv", **PARTS}),
    "contacts": Fit("contacts", {"data.labels": "@contacts.tsv", "data.samples_per_epoch": 24, **PARTS}),
    "mlm": Fit("mlm", {**BARE, "model.encoder.window_radius": 16}),
    "mlm-hf": Fit("mlm_hf", {**BARE, "model.k": 3, "model.encoder.max_tokens": 520}),
    "genes-from-mlm": Fit("gene_structure_tiny", {
        **GENOME, **SMALL, "model.stride": 1, "model.encoder.window_radius": 16, "model.encoder.conv_width": 15,
        "model.tile_bp": 768, "model.adapter_rank": 2,
    }, init_from="mlm"),
    "genes-from-import": Fit("gene_structure_hf", {
        **GENOME, "model.k": 3, "model.stride": 1, "model.encoder.max_tokens": 520, "model.encoder.n_global_tokens": 1,
        "model.tile_bp": 384, "model.context_bp": 48, "data.crop_bp": 512, "model.freeze_layers": 1,
        "model.layer_decay": 0.5,
    }, init_from="imported"),
}  # fmt: skip
"""The fits by name. Together they have every task, kind of labels, attention, kind of positions and norm, and the ways
to start from other weights."""

if find_spec("RNA"):
    FITS["pairs-prior"] = Fit("rna_pairs", {**FITS["pairs"].settings, "model.options.prior": "viennarna"})


def fit_words(name: str, keys: str, *, command: str = "fit") -> list[str]:
    """Arguments of genoformer.

    Args:
        name: In ``FITS``.
        keys: "old" or "new".
        command: "fit", "validate" or "test"; the last two score the bundle of the inputs.
    """
    fit = FITS[name]
    settings = {**COMMON, **(SMALL if fit.small else {}), **fit.settings}
    if keys == "new":
        settings = {renamed(key, RENAMED_KEYS) or key: value for key, value in settings.items()}
        settings |= {**NEW_SETTINGS.get("*", {}), **NEW_SETTINGS.get(name, {})}
    words = [command, "--config", fit.config, "--name", name]
    start = fit.init_from if command == "fit" else name
    words += ["--init_from", f"{INPUTS}/bundles/{start}"] if start else []
    for key, value in settings.items():
        words += [] if value is None else [f"--{key}", input_path(str(value))]
    return words


def fit_step(name: str, keys: str) -> Step:
    """Training, whose bundle is kept among the inputs."""
    return Step(f"fit-{name}", fit_words(name, keys), {f"runs/{name}/model": f"bundles/{name}"})


def score_steps(keys: str) -> list[Step]:
    """``validate`` and ``test`` of bundles of the inputs."""
    return [
        Step("validate-genes", fit_words("genes", keys, command="validate")),
        Step("test-mlm", fit_words("mlm", keys, command="test")),
    ]


def benchmark_step(keys: str) -> Step:
    """States of codons with one seed, beside simple models."""
    words = ["benchmark", "tasks", "--name", "codons", "--seeds", "0", "-o", "out"]
    return Step("benchmark-codons", [*words, "--fit", *fit_words("codons", keys)[1:]])
