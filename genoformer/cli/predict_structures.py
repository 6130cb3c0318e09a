"""``genoformer predict`` with a model of structures: base pairs, secondary structure."""

import argparse
from functools import partial

from genoformer.cli.predict_sequences import refuse_gene_options, run_sequence_prediction

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
    from genoformer.inference.sequence_predict import predict_structures

    task = bundle.config.task
    refuse_gene_options(args, task)
    words = None if args.formats == DEFAULT_FORMATS else tuple(args.formats.split(","))
    caller, write, settings = _PARTS[task](args, bundle, words)
    predict = partial(predict_structures, args.fasta, caller, args.out, write, settings=settings)
    return run_sequence_prediction(args, task, predict)


def _pair_parts(args: argparse.Namespace, bundle, words: tuple[str, ...] | None):
    from genoformer.applications.rna_pairs.caller import PairCaller
    from genoformer.applications.rna_pairs.outputs import DEFAULT_FORMATS as FORMATS
    from genoformer.applications.rna_pairs.outputs import check_pair_formats, write_pairs

    formats = check_pair_formats(words or FORMATS)
    caller = PairCaller.from_bundle(bundle, precision=args.precision or "float32", crossing=args.crossing)
    return caller, partial(write_pairs, formats=formats), {"formats": list(formats), "crossing": args.crossing}


def _codon_parts(args: argparse.Namespace, bundle, words: tuple[str, ...] | None):
    from genoformer.applications.codon_structure.caller import CodonCaller
    from genoformer.applications.codon_structure.outputs import write_states
    from genoformer.errors import UsageError

    if words not in (None, ("tsv",)):
        raise UsageError("FORMATS-001", f'"{words[0]}" is no format of states: tsv.', where="--formats")
    caller = CodonCaller.from_bundle(bundle, precision=args.precision or "float32")
    return caller, partial(write_states, channels=caller.task.channels), {}


def _contact_parts(args: argparse.Namespace, bundle, words: tuple[str, ...] | None):
    from genoformer.applications.contacts.caller import ContactCaller
    from genoformer.applications.contacts.outputs import DEFAULT_FORMATS as FORMATS
    from genoformer.applications.contacts.outputs import check_contact_formats, write_contacts

    formats = check_contact_formats(words or FORMATS)
    caller = ContactCaller.from_bundle(bundle, precision=args.precision or "float32")
    return caller, partial(write_contacts, formats=formats), {"formats": list(formats)}


_PARTS = {"rna_pairs": _pair_parts, "codon_structure": _codon_parts, "contacts": _contact_parts}
STRUCTURE_TASKS = tuple(_PARTS)
