"""What two builds may differ in: other names in a bundle's files, expected differences, and what is not compared.

Empty tables say that a build writes what the other one writes.
"""

_CONFIG: dict[str, str | None] = {
    "channels": "labels",
    "encoder.attention": "encoder.attention.name",
    "encoder.window_radius": "encoder.attention.window_radius",
    "encoder.dilation": "encoder.attention.dilation",
    "encoder.attention_dropout": "encoder.attention.dropout",
    "encoder.backend": "encoder.attention.backend",
}
FORMAT_TABLE: dict[str, dict[str, str | None]] = {"*/model/config.json": _CONFIG}
"""Layout of a bundle's files: for a pattern of files, name in OLD → name in NEW. Names are dotted paths in JSON,
numbers in lists included, or names of tensors; an entry stands for all names that begin with it and a dot; None says
that NEW has no such thing. The values must be the same. What only NEW has is a difference, for ``EXPECTED``.

    {"*/model/config.json": {"encoder.window_radius": "encoder.attention.window_radius", "encoder.backend": None},
     "*/model/model.safetensors": {"encoder.layers": "encoder.blocks"}}
"""

_AS_ASKED = "what was asked is written as the request has it"
_ASKED = (
    "task reading call mask mask_digest functions formats crossing genetic_code min_gene_bp max_gap_bp circular region "
    "on_bad_record settings"
).split()
EXPECTED: dict[str, str] = {
    r"outputs/.*/config\.json: (format_version|head\.).*": "layout 2 of bundles names the head",
    r"outputs/.*/summary\.json: task: .*": "predictions of genes name their task, by which evaluate scores",
    rf"outputs/.*/(run|shard)\.json: key\.({'|'.join(_ASKED)})(\..*)?: .*": _AS_ASKED,
    r"outputs/.*/shard\.json: (request|options)(\..*)?: .*": _AS_ASKED,
    r"outputs/fit-regression/.*/config\.json: encoder\.attention\.(dilation|window_radius): missing in NEW": "full "
    "attention has no window",
    r"lines/help-(predict|annotate|evaluate)\.stdout: .*": "options stand by kind of model, formats by task",
    r"lines/(crossing-codons|mask-of-functions)\.stderr: .*": "options of other models are one error, OPTION-004",
    r"lines/judge-pairs\.stderr: line 1: '(genoformer: .* for )r\d+(; .*)' → '\1r\d+\2'": "the first RNA without "
    "prediction is the first of the reference; in OLD it is any, by the order of a set, in every run another",
    r"outputs/import/model/model_card\.md: line (29|40): .*": "settings of attention are a mapping of their own",
}
"""Differences that are meant: a regular expression for the whole printed line, and the reason, which is printed beside
it.

    {r"outputs/.*/model/config.json: format_version: 1 → 2": "bundles have a layout of their own from 0.2 on"}
"""

LEFT_OUT: dict[str, str] = {
    "outputs/*/checkpoints/*.ckpt": "what an interrupted run continues from, as the build that wrote it wants it; the "
    "weights are compared as model.safetensors",
    "outputs/*/runs/*/config.yaml": "configuration keys may have other names; what they do is compared as the model",
    "outputs/*/runs/*/run.json": "digests over configuration keys",
    "outputs/*/run.json: key.version": "version of genoformer",
    "outputs/*/shard.json: key.version": "version of genoformer",
    "outputs/*/summary.json: version": "version of genoformer",
    "lines/version.stdout": "version of genoformer",
}
"""Files, or places in them after a colon, whose contents are not compared, and why; that they are there is."""

WITH_PATHS = ("lines/*", "outputs/*/run.json", "outputs/*/shard.json")
"""Files that may name absolute paths: those of the folder, of the package and of Python are replaced by words."""

NAMES_ONLY = ("*/manifest.json",)
"""Files of which only the names that they list are compared: digests and sizes follow from the files themselves."""
