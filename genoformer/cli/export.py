"""``genoformer export``: a model's encoder as a folder that another program loads."""

import argparse
from pathlib import Path

FORMATS = ("huggingface",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("model", help="folder of a bundle, or name of a shipped model")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="layout of the folder (huggingface)")
    parser.add_argument("-o", "--out", required=True, type=Path, help="folder for transformers' from_pretrained")
    parser.add_argument("--overwrite", action="store_true", help="replace an older export")
    parser.epilog = (
        "The encoder, its tokenizer, a model card and the head of a masked language model are written: learned "
        "positions, norm post, no dilation, conv_width 0, no base_embedding, as in the configurations "
        "gene_structure_hf and mlm_hf. Other heads and decoders stay in the bundle."
    )


def run(args: argparse.Namespace) -> int:
    """Write the folder; returns the exit code."""
    from genoformer.bundle.folder import load_bundle
    from genoformer.bundle.header import CARD, find_bundle
    from genoformer.interop.huggingface_export import export_encoder

    bundle = load_bundle(args.model)
    card = (find_bundle(args.model) / CARD).read_text(encoding="utf-8", errors="replace")
    architecture, was_there = export_encoder(bundle, args.out, overwrite=args.overwrite, card=card)
    head = "head" if architecture.endswith("ForMaskedLM") else "no head and no decoder"
    found = f"encoder and tokenizer of {bundle.name}, {head}, as {architecture}"
    print(f"nothing to do: {args.out} holds {found}" if was_there else f"{found}: {args.out}")
    return 0
