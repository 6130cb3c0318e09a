"""``genoformer import``: a bundle from an encoder of Hugging Face, to be trained."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("folder", type=Path, help="Longformer, or BERT over k-mers such as DNABERT, of save_pretrained")
    parser.add_argument("-o", "--out", required=True, type=Path, help="folder of the bundle")
    parser.add_argument("--max-tokens", type=int, help="longest input of a model made from a BERT (4096)")
    parser.add_argument("--window-radius", type=int, help="tokens seen on each side by one (the BERT's positions)")
    parser.add_argument("--global-tokens", type=int, help="global tokens of the model; by default as exported, else 0")
    parser.add_argument("--seed", type=int, default=0, help="of the weights of the new head (0)")
    parser.add_argument("--new-head", action="store_true", help="a head for genes, also where the folder has one")
    parser.add_argument("--overwrite", action="store_true", help="replace an older bundle")
    parser.epilog = (
        "The bundle's head for gene_structure is new, with random weights, unless the folder is an export of a masked "
        "language model, whose head is kept: it predicts nothing before it is trained "
        "with `genoformer fit --init_from BUNDLE`. Its model card holds the configuration for that "
        "(`genoformer models BUNDLE`)."
    )


def run(args: argparse.Namespace) -> int:
    """Write the bundle; returns the exit code."""
    from genoformer.applications import APPLICATIONS, DEFAULT_TASK
    from genoformer.interop.bundle_import import import_bundle
    from genoformer.interop.huggingface_import import ImportOptions, stored_task

    kept = None if args.new_head else stored_task(args.folder)
    task = APPLICATIONS[kept if kept in APPLICATIONS else DEFAULT_TASK].task.load()()
    options = ImportOptions(args.max_tokens, args.window_radius, args.global_tokens)
    config, was_there = import_bundle(args.folder, args.out, task, options, seed=args.seed, overwrite=args.overwrite)
    head = f"its head for {kept}" if kept == config.task else "a new head"
    found = f"encoder over {config.k}-mers with {head}, to be trained with fit --init_from"
    print(f"nothing to do: {args.out} holds an {found}" if was_there else f"{found}: {args.out}")
    return 0
