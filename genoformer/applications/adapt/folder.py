"""The folder of an adapted bundle: whose files lie in it, whether it is finished, and how it is written."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

from genoformer.applications.adapt.fine_tune import BATCH_SIZE, GUARD_BP, HELD_OUT
from genoformer.applications.adapt.held_out import gain_table, is_unchanged
from genoformer.bundle.folder import Bundle, save_bundle
from genoformer.bundle.header import CALIBRATION, CARD, CONFIG, WEIGHTS
from genoformer.errors import DataError
from genoformer.files import MANIFEST_NAME, verify_manifest, write_json_atomic
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.inference.folder import (
    RUN,
    WORK,
    check_folder,
    check_free,
    claim_work,
    refusal,
    remove_half_written,
)

FILES = (WEIGHTS, CONFIG, CALIBRATION, CARD, RUN, MANIFEST_NAME)
DECODERS = {
    "fitted": "The decoder was fitted again, on the held-out regions.",
    "kept": "The decoder is that of the given model.",
    "lengths": "The decoder is that of the given model, with lengths of exons and introns as in the genes that were "
    "trained on, wherever there are enough.",
}
"""What the model card says of the decoder."""
GAIN = "adaptation"
"""Where ``calibration.json`` holds what an adaptation was and what it gained."""


def check_target(out: Path, model_digest: str, inputs: list[str], *, overwrite: bool) -> None:
    """Refuse a folder that holds files of others, the model itself, or an input.

    Args:
        out: Where the bundle is to be written.
        model_digest: SHA-256 of the weights that are to be adapted.
        inputs: Files that are read.
        overwrite: Another bundle may be replaced; files of others stay where they are.

    Raises:
        OutputExistsError: If there is one of these.
    """
    if _weights_digest(out) == model_digest:
        raise refusal("ADAPT-004", "this is the model that is to be adapted.", out)
    check_folder(out, inputs, overwrite=overwrite, results=FILES, kind="model")


def _weights_digest(folder: Path) -> str | None:
    try:
        return json.loads((folder / MANIFEST_NAME).read_text())["files"][WEIGHTS]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def finished_gain(out: Path, key: dict) -> dict | None:
    """What the adaptation of ``key`` gained, if the folder holds its complete and unchanged bundle."""
    try:
        same = json.loads((out / RUN).read_text())["key"] == key
        if not same or CALIBRATION not in verify_manifest(out):
            return None
        return json.loads((out / CALIBRATION).read_text())[GAIN]
    except (DataError, OSError, ValueError, KeyError, TypeError):
        return None


def claim(out: Path, work: Path, key: dict, *, overwrite: bool) -> None:
    """Make room for another bundle, and remove work that is not that of ``key``.

    Raises:
        OutputExistsError: If there is a finished bundle, and ``overwrite`` was not given.
    """
    check_free(out, "another model, or one that was changed", overwrite=overwrite)
    remove_half_written(out, FILES)
    claim_work(work, key)


def write_adapted(out: Path, bundle: Bundle, gain: dict, card: str, run: dict) -> None:
    """Write the bundle, the manifest last; the work folder goes.

    Args:
        out: The folder.
        bundle: Weights, configuration and calibration.
        gain: Added to the calibration.
        card: Text of the model card.
        run: Key and inputs of this run; not in the manifest, as it is the only file that may differ between equal runs.
    """
    (out / MANIFEST_NAME).unlink(missing_ok=True)
    write_json_atomic(out / RUN, run)
    bundle = replace(bundle, calibration={**bundle.calibration, GAIN: gain})
    save_bundle(out, model=bundle.model, config=bundle.config, card=card, calibration=bundle.calibration)
    shutil.rmtree(out / WORK, ignore_errors=True)


def adapted_card(gain: dict, store: Store, regions: list[Region]) -> str:
    """Text of ``model_card.md``: what was adapted to what, and what that gained."""
    n_held_out = sum(region.end - region.start for region in regions)
    labels = {"annotation": "the genes of an annotation", "own calls": "sure calls of that model itself"}
    lines = [
        f"# {gain['task']}, adapted",
        "",
        f"The model `{gain['model']}` (weights {gain['model_digest']}), adapted in {gain['steps']} steps of "
        f"{BATCH_SIZE} crops with a learning rate of at most {gain['lr']:g}, seed {gain['seed']}. Labels: "
        f"{labels[gain['labels']]}.",
        "",
        "Adapted to:",
        "",
        *(f"- {r.genome}: {r.id}, {r.length:,} bp, genetic code {r.genetic_code}" for r in store.records),
        "",
        f"Held out: {HELD_OUT:.0%} of each contig with a guard of {GUARD_BP:,} bp; {n_held_out:,} bp with "
        f"{gain['after']['n_genes']} whole genes. Decoder and statistics of the genome are those of the given model on "
        "both sides.",
        "",
        *gain_table(gain["before"], gain["after"]),
        "",
        verdict(gain),
        "",
        DECODERS[gain["decoder"]],
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def verdict(gain: dict) -> str:
    """What the scores mean, in a sentence."""
    if gain["labels"] == "own calls":
        return "This is agreement with the sure calls of the given model, not a measure of quality."
    if is_unchanged(gain["before"], gain["after"]):
        return "No measurable difference on the held-out regions: either model will do."
    if gain["helped"]:
        return "Adaptation helped on the held-out regions."
    return "Adaptation did not help on the held-out regions: use the given model."
