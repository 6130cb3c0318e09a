"""The recipe of functions: from what labelled sequences are like to settings that suit them, each with its reason."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from genoformer.applications.functions.data import TableData
from genoformer.applications.functions.facts import Facts, facts_of
from genoformer.applications.functions.recipe_split import NEAR, are_parts, split_of
from genoformer.baselines.run_data import build_data
from genoformer.errors import DataError, WarningLog
from genoformer.labels.tables import FILE_GROUP, read_table_rows
from genoformer.training.labelled_data import as_list
from genoformer.training.recipes import Choice, Chooser

SEQUENCE_COLUMNS = ("sequence", "seq", "dna")
PART_COLUMNS = ("split", "part", "partition", "subset")
GROUP_COLUMNS = ("group", "cluster", "family", "chromosome", "chrom", "chr", "contig", "seqid", "species", "organism")
"""Words for columns, best first. What is in one family or on one chromosome must not be on two sides of a split."""
MIN_CODING = 0.8
"""Share from which on a table is one of coding sequences; of other sequences a few in a hundred read as such."""
ONE_LENGTH = 0.95
"""Share of sequences of one length from which on they are windows around something."""
MOST_COMPARED_BP = 10_000_000
"""Bases of all sequences up to which near copies are looked for: some seconds, and a gigabyte."""
CODON_BP, CODING_BP = 3, 1_500
WORDS = {512: (3, 1), 2_048: (4, 2), 12_288: (6, 3)}
"""Bases of a token and bases between tokens, by the length that most sequences do not exceed: at most 4,096 tokens."""
LONG_WORD, MOST_BP = (6, 6), 98_304
MOST_PLACES = 1_024
"""Tokens of which each place can have an embedding of its own."""
TOKENS_PER_STEP, TOKENS_PER_RUN = 8_192, 4_000_000
BATCH, STEPS, EPOCHS = (4, 64), (100, 800), (3, 60)
"""Fewest and most: samples of a step, steps, and times that each sequence is seen. The fewest times count most."""
MOST_STEPS, VALIDATIONS = 50_000, 10
MANY = 20_000
"""Sequences from which on a larger network has something to learn from."""
RADIUS = 32
"""Tokens on each side that a token sees."""
MOST_GLOBAL = 4
"""Places of learned positions beyond the tokens: for global tokens that somebody adds."""
UNEVEN = 10
"""Times that the largest class is larger than the smallest from which on classes are drawn more evenly."""


def choose(config: Mapping[str, Any], given: Mapping[str, Any]) -> list[Choice]:
    """Read the sequences of a configuration and choose what suits them; see ``training.recipes.Recipe``.

    Raises:
        MissingFileError: If a file is not there.
        DataError: If the sequences or their labels cannot be read.
        UsageError: If there is no input, or the settings that say how to read it do not fit.
    """
    settings, options = config["data"], config["model"]["options"] or {}
    labels, fasta, annotation = (as_list(settings[name]) for name in ("labels", "fasta", "annotation"))
    build_data(TableData, settings).input_digest()
    chooser = Chooser(given)
    columns = dict(settings["columns"])
    names = table_columns(labels[0], columns["names"]) if labels and not annotation else ()
    columns |= choose_columns(chooser, names, labels, has_fasta=bool(fasta))
    kind = options.get("kind", "multiclass")
    data = build_data(TableData, {**settings, "columns": columns})
    sequences = data.read_labelled(kind, WarningLog())
    if not sequences:
        where = ", ".join([*annotation, *labels, *fasta][:1])
        raise DataError("LABELS-011", "no sequence has a label.", where=where, fix="Look at data.columns.label.")
    is_divided = chooser.is_given("data.split") or sum(len(one.codes) for one in sequences) > MOST_COMPARED_BP
    share = None if is_divided else NEAR
    facts = facts_of(sequences, kind, settings["label_separator"], min_share=share)
    choose_settings(chooser, facts, kind, group=columns["group"])
    return chooser.choices


def table_columns(path: str, names: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the columns of a table, from its header line unless they are given."""
    return tuple(next(read_table_rows(path, None if names is None else tuple(names)))[1])


def choose_columns(chooser: Chooser, names: Sequence[str], labels: Sequence[str], *, has_fasta: bool) -> dict[str, str]:
    """Columns to read with: that of the sequences, which is chosen, and one that may divide them, which is tried.

    Args:
        chooser: Gets the choice.
        names: Columns of the table; none without one.
        labels: Tables.
        has_fasta: The sequences stand in FASTA files.
    """
    found = {}
    sequence = None if has_fasta else _first_of(SEQUENCE_COLUMNS, names)
    if sequence is not None and not chooser.is_given("data.columns.sequence"):
        chooser.take({"data.columns.sequence": sequence}, "a column of the table is called so")
        found["sequence"] = sequence
    if not chooser.is_given("data.columns.group") and not chooser.is_given("data.split"):
        files = [Path(path).name for path in labels]
        group = FILE_GROUP if are_parts(files) else _first_of((*PART_COLUMNS, *GROUP_COLUMNS), names)
        found |= {} if group is None else {"group": group}
    return found


def choose_settings(chooser: Chooser, facts: Facts, kind: str, *, group: str | None = None) -> None:
    """All choices but that of the column of sequences.

    Args:
        chooser: Gets the choices, and knows what was set.
        facts: Of the sequences.
        kind: "multiclass", "multilabel" or "regression".
        group: Column that ``facts.groups`` are of, or "file"; None for none.
    """
    if not chooser.is_given("data.split"):
        _choose_split(chooser, facts, group)
    _choose_labels(chooser, facts, kind)
    is_coding, is_window = facts.coding >= MIN_CODING, facts.one_length >= ONE_LENGTH
    k, stride, max_bp = _choose_tokens(chooser, facts, is_coding=is_coding)
    _choose_strands(chooser, is_coding=is_coding, is_window=is_window)
    _choose_reading(chooser, n_tokens(max_bp, k, stride), has_places=is_coding or is_window)
    if is_coding and (k, stride) == (CODON_BP, CODON_BP):
        _choose_codons(chooser, kind)
    else:
        chooser.take({"data.augment.masked": 0.05}, "no base is learned by heart")
    _choose_size(chooser, facts, kind)
    _choose_steps(chooser, facts, facts.mean_bp(max_bp) / stride)


def n_tokens(bp: int, k: int, stride: int) -> int:
    """Tokens of a sequence of this length."""
    return max(1, (bp - k) // stride + 1)


def _choose_split(chooser: Chooser, facts: Facts, group: str | None) -> None:
    settings, why = split_of(facts, group)
    by_group = {"data.columns.group": group} if settings["by"] == "group" else {}
    chooser.take({**by_group, **{f"data.split.{key}": value for key, value in settings.items()}}, why)


def _choose_labels(chooser: Chooser, facts: Facts, kind: str) -> None:
    if kind == "regression" or not facts.labels:
        return
    if not chooser.is_given("data.classes"):
        least = 5 if kind == "multiclass" else min(20, max(5, facts.n // 50))
        (least,) = chooser.take({"data.min_examples": least}, _rare(facts, kind, least))
        counts = [n for n in facts.labels.values() if n >= least] or list(facts.labels.values())
    else:
        counts = list(facts.labels.values())
    if kind == "multiclass":
        largest, smallest = max(counts), min(counts)
        why = f"of {len(counts):,} classes the largest has {largest:,} sequences, the smallest {smallest:,}"
        chooser.take({"data.balance": 0.5 if largest > UNEVEN * smallest else None}, why)


def _rare(facts: Facts, kind: str, least: int) -> str:
    what = "classes" if kind == "multiclass" else "terms"
    rare = [n for n in facts.labels.values() if n < least]
    if not rare:
        return f"each of {len(facts.labels):,} {what} has as many"
    return f"{len(rare):,} of {len(facts.labels):,} {what} are on fewer sequences and left out"


def _choose_tokens(chooser: Chooser, facts: Facts, *, is_coding: bool) -> list[Any]:
    """k, stride, and the longest stretch that is read."""
    if is_coding:
        k, stride, most = CODON_BP, CODON_BP, CODING_BP
        why = f"{facts.coding:.0%} are coding sequences: tokens are codons"
    else:
        usual = facts.length_of_share(0.95)
        k, stride = next((word for bp, word in WORDS.items() if usual <= bp), LONG_WORD)
        most = MOST_BP
        why = f"most have up to {usual:,} bp"
    longest = min(facts.longest_bp, most)
    if lost := facts.longer_than(longest):
        why += f"; of {lost:.1%}, which are longer, the rest is not read"
    return chooser.take({"model.k": k, "model.stride": stride, "model.options.max_bp": longest}, why)


def _choose_strands(chooser: Chooser, *, is_coding: bool, is_window: bool) -> None:
    if is_coding or is_window:
        what = "coding sequences have" if is_coding else "windows of one length are taken to have"
        chooser.take({"model.options.strands": "forward"}, f"{what} a direction")
    else:
        chooser.take({"model.options.strands": "average"}, "nothing says that all have one direction: both are read")


def _choose_reading(chooser: Chooser, longest: int, *, has_places: bool) -> None:
    """Positions, how far tokens see, and what becomes of them."""
    positions = "model.encoder.positions"
    if chooser.value(positions, "learned") == "learned" and has_places and longest <= MOST_PLACES:
        settings = {positions: "learned", "model.encoder.max_tokens": longest + MOST_GLOBAL}
        chooser.take(settings, f"each of up to {longest:,} places has a meaning of its own")
    else:
        chooser.take({positions: "rotary"}, "what counts may stand anywhere")
    settings = {"model.encoder.attention": {"name": "longformer", "window_radius": RADIUS}}
    settings |= {"model.encoder.conv_width": 7, "model.options.pooling": "attention"}
    chooser.take(settings, "tokens see their neighbourhood, four weighted means of them the whole sequence")


def _choose_codons(chooser: Chooser, kind: str) -> None:
    settings = {"model.encoder.amino_acids": True, "model.encoder.amino_acid_words": 3}
    chooser.take(settings, "codons count as amino acids, too, and words of three, which related proteins share")
    if kind == "regression":
        chooser.take({"data.augment.masked": 0.03}, "codons stay as they are: a number can depend on them")
        return
    if chooser.value("model.options.strands", "forward") == "forward":
        chooser.take({"model.options.relatives": True}, "the labels of the most similar training sequences count, too")
    changes = {"data.augment.masked": 0.03, "data.augment.synonymous": 0.3, "data.augment.substituted": 0.2}
    chooser.take(changes, "proteins stay what they are with synonymous codons and some similar amino acids")


def _choose_size(chooser: Chooser, facts: Facts, kind: str) -> None:
    is_large = facts.n >= MANY
    width = chooser.value("model.encoder.d_model", 128 if is_large else 64)
    size = {"d_model": width, "n_heads": 4, "n_layers": 3 if is_large else 2, "d_ff": 2 * width}
    settings: dict[str, Any] = {f"model.encoder.{name}": value for name, value in size.items()}
    settings["model.encoder.dropout"] = 0.1 if is_large else 0.2
    settings["model.options.head_dropout"] = 0.1 if is_large else 0.3
    if kind == "multiclass":
        settings["model.options.label_smoothing"] = 0.05 if is_large else 0.1
    chooser.take(settings, f"{facts.n:,} sequences {'are many' if is_large else 'are soon learned by heart'}")


def _choose_steps(chooser: Chooser, facts: Facts, tokens: float) -> None:
    """Samples of a step, steps and validations, from how many tokens a sequence has on average."""
    n_train = max(1, int(0.8 * facts.n))
    batch = chooser.value("data.loader.batch_size", batch_size(n_train, tokens))
    steps = chooser.value("trainer.max_steps", n_steps(n_train, batch, tokens))
    settings = {"data.loader.batch_size": batch, "trainer.max_steps": steps}
    settings["model.warmup_steps"] = min(100, max(1, steps // 10))
    samples = max(1, steps // VALIDATIONS) * batch
    if samples < n_train:
        settings["data.loader.samples_per_epoch"] = samples
    often = steps * batch / n_train
    chooser.take(settings, f"of {tokens:,.0f} tokens on average, each sequence is seen about {often:,.1f} times")


def batch_size(n_train: int, tokens: float) -> int:
    """Samples of a step: a power of two with about as many tokens as a step shall have, of few sequences an eighth."""
    low, high = BATCH
    wanted = min(high, max(low, TOKENS_PER_STEP / max(1.0, tokens)))
    return 1 << max(0, int(min(wanted, max(1, n_train / 8))).bit_length() - 1)


def n_steps(n_train: int, batch: int, tokens: float) -> int:
    """Steps of a run: as many tokens as a run shall have, within the bounds of ``STEPS`` and ``EPOCHS``."""
    epoch = n_train / batch
    wanted = min(max(TOKENS_PER_RUN / (batch * max(1.0, tokens)), STEPS[0]), STEPS[1], EPOCHS[1] * epoch)
    return min(MOST_STEPS, max(1, round(max(wanted, EPOCHS[0] * epoch) / 10) * 10))


def _first_of(wanted: Iterable[str], names: Sequence[str]) -> str | None:
    """The column with the first of these words as its name, whatever the case."""
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[word] for word in wanted if word in lower), None)
