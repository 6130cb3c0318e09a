"""``genoformer predict`` with a model of structures: base pairs, secondary structure."""

import argparse
import sys
from functools import partial

from genoformer.cli.predict_functions import GENE_OPTIONS

DEFAULT_FORMATS = "gff3,tsv,protein"
"""What the option says when it was not given: formats of genes."""


def predict_structure_files(args: argparse.Namespace, bundle) -> int:
    """Predict structures and write them; returns the exit code.

    Args:
        args: Options of ``genoformer predict``.
        bundle: A loaded model of structures, on its device.

    Raises:
        UsageError: If an option was given that has a meaning for genes only.
    """
    from tqdm import tqdm

    from genoformer.errors import UsageError, WarningLog
    from genoformer.inference.structure_predict import predict_structures

    task = bundle.config.task
    given = [name for name in GENE_OPTIONS if getattr(args, name) not in (None, False, "")]
    if given:
        option = "--" + given[0].replace("_", "-")
        raise UsageError("FUNCTION-002", f"a model for {task} takes no {option}: it is about genes.", where=option)
    words = None if args.formats == DEFAULT_FORMATS else tuple(args.formats.split(","))
    caller, write, settings = _PARTS[task](args, bundle, words)
    warnings = WarningLog()
    with tqdm(unit="bp", unit_scale=True, desc=task, file=sys.stderr, disable=None, delay=1) as bar:
        summary = predict_structures(
            args.fasta, caller, args.out, write, settings=settings, on_bad_record=args.on_bad_record,
            overwrite=args.overwrite, dry_run=args.dry_run, on_bases=bar.update, warnings=warnings,
        )  # fmt: skip
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    records = f"{summary['n_records']} records, {summary['n_bases']:,} bp"
    if summary.get("dry_run"):
        print(f"{records}: would write to {args.out}")
    elif summary.get("nothing_to_do"):
        print(f"nothing to do: {args.out} holds {task} of {records}")
    else:
        print(f"{task} of {records}: {args.out}")
    return 0


def _pair_parts(args: argparse.Namespace, bundle, words: tuple[str, ...] | None):
    from genoformer.inference.pair_calls import PairCaller
    from genoformer.inference.pair_outputs import DEFAULT_FORMATS as FORMATS
    from genoformer.inference.pair_outputs import check_pair_formats, write_pairs

    formats = check_pair_formats(words or FORMATS)
    caller = PairCaller.from_bundle(bundle, precision=args.precision or "float32", crossing=args.crossing)
    return caller, partial(write_pairs, formats=formats), {"formats": list(formats), "crossing": args.crossing}


def _codon_parts(args: argparse.Namespace, bundle, words: tuple[str, ...] | None):
    from genoformer.errors import UsageError
    from genoformer.inference.codon_calls import CodonCaller
    from genoformer.inference.codon_outputs import write_states

    if words not in (None, ("tsv",)):
        raise UsageError("FORMATS-001", f'"{words[0]}" is no format of states: tsv.', where="--formats")
    caller = CodonCaller.from_bundle(bundle, precision=args.precision or "float32")
    return caller, partial(write_states, channels=caller.task.channels), {}


def _contact_parts(args: argparse.Namespace, bundle, words: tuple[str, ...] | None):
    from genoformer.inference.contact_calls import ContactCaller
    from genoformer.inference.contact_outputs import DEFAULT_FORMATS as FORMATS
    from genoformer.inference.contact_outputs import check_contact_formats, write_contacts

    formats = check_contact_formats(words or FORMATS)
    caller = ContactCaller.from_bundle(bundle, precision=args.precision or "float32")
    return caller, partial(write_contacts, formats=formats), {"formats": list(formats)}


_PARTS = {"rna_pairs": _pair_parts, "codon_structure": _codon_parts, "contacts": _contact_parts}
STRUCTURE_TASKS = tuple(_PARTS)
