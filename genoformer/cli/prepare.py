"""``genoformer prepare``: the training store of one or several genomes."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("fasta", nargs="*", help="FASTA or GenBank files, one for each genome")
    parser.add_argument("--annotation", nargs="+", help="GFF3 or GenBank files, in the same order")
    parser.add_argument("-o", "--out", required=True, type=Path, help="the store to write, .h5")
    parser.add_argument("--genetic-code", type=int, nargs="+", help="NCBI number for all, or one for each genome")
    parser.add_argument("--seqid-map", help="table of ids in the annotation and in the FASTA file")
    parser.add_argument("--source", nargs="+", default=[], help="only annotation rows with these words in column 2")
    parser.add_argument(
        "--labels", choices=("codons", "codons_rna", "introns"), default="codons",
        help="codons_rna: for gene_structure with data.rna_genes; introns: for gene_structure_eukaryote",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is no store of these genomes")


def run(args: argparse.Namespace) -> int:
    """Write the store; returns the exit code."""
    from genoformer.errors import OutputExistsError, WarningLog
    from genoformer.files import check_file_place
    from genoformer.genomes.prepare import find_genomes, is_store_of, prepare_store, store_parameters

    codes = args.genetic_code
    genomes = find_genomes(args.fasta, args.annotation, codes[0] if codes and len(codes) == 1 else codes)
    if is_store_of(args.out, store_parameters(genomes, args.seqid_map, args.labels, args.source)):
        print(f"nothing to do: {args.out} holds these genomes")
        return 0
    if args.out.exists() and not args.overwrite:
        raise OutputExistsError(
            "PREPARE-001", "the file exists and holds something else.", where=str(args.out),
            fix="Choose another name, or use --overwrite.",
        )  # fmt: skip
    check_file_place(args.out)
    warnings = WarningLog()
    report = prepare_store(
        args.out, genomes, seqid_map=args.seqid_map, labels=args.labels, sources=args.source, warnings=warnings
    )
    for line in warnings.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    print("\n".join([*(report.lines() if report else []), f"store: {args.out}"]))
    return 0
