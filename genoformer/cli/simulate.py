"""``genoformer simulate``: a made-up genome and its genes as files."""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

FASTA, GFF3, SUMMARY, MANIFEST = "genome.fa", "genome.gff3", "summary.json", "manifest.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("-o", "--out", required=True, type=Path, help="output folder: genome.fa, genome.gff3")
    parser.add_argument("--length-bp", type=int, default=1_000_000, help="length of all contigs together (1000000)")
    parser.add_argument("--gc", type=float, default=0.5, help="share of G and C, 0.2 to 0.8 (0.5)")
    parser.add_argument("--seed", type=int, default=1, help="another seed gives another genome (1)")
    parser.add_argument("--genetic-code", type=int, default=11, help="NCBI number of the genetic code (11)")
    parser.add_argument("--coding-fraction", type=float, default=0.87, help="share of the bases in genes (0.87)")
    parser.add_argument("--contigs", type=int, default=1, help="number of contigs (1)")
    parser.add_argument("--overwrite", action="store_true", help="replace another simulated genome in the folder")


def run(args: argparse.Namespace) -> int:
    """Write the genome and its genes; returns the exit code."""
    from genoformer.errors import counted
    from genoformer.genomes.simulate import simulate_genome
    from genoformer.inference.folder import claim_work, held_folder, is_work_of

    parameters = {
        "length_bp": args.length_bp,
        "gc": args.gc,
        "seed": args.seed,
        "genetic_code": args.genetic_code,
        "coding_fraction": args.coding_fraction,
        "n_contigs": args.contigs,
    }
    contigs = simulate_genome(**parameters)
    _check(args.out)
    with held_folder(args.out, (FASTA, GFF3, SUMMARY, MANIFEST)) as work:
        if _holds(args.out, parameters):
            print(f"nothing to do: {args.out} holds this genome")
            return 0
        _clear(args.out, overwrite=args.overwrite or is_work_of(work, parameters))
        claim_work(work, parameters)  # what a killed run has finished is known to be its own
        try:
            summary = _write(args.out, contigs, parameters)
        except BaseException:
            _remove(args.out)
            raise
    found = f"{counted(summary['n_genes'], 'gene')} in {counted(summary['n_records'], 'record')}"
    print(f"{found}, {summary['n_bases']:,} bp: {args.out}")
    return 0


def _check(out: Path) -> None:
    """Refuse a folder that nothing can be written to."""
    from genoformer.inference.folder import check_folder

    check_folder(out, [], overwrite=True, results=(FASTA, GFF3, SUMMARY, MANIFEST))


def _holds(out: Path, parameters: dict) -> bool:
    """Whether the folder has the complete files of exactly these parameters."""
    from importlib.metadata import version

    from genoformer.errors import DataError
    from genoformer.files import verify_manifest
    from genoformer.inference.folder import read_summary

    try:
        verify_manifest(out)
        summary = read_summary(out)
    except (DataError, OSError, ValueError):
        return False
    return summary.get("parameters") == parameters and summary.get("version") == version("genoformer")


def _clear(out: Path, *, overwrite: bool) -> None:
    """Refuse files of another run, or take away what calls them complete."""
    from genoformer.errors import OutputExistsError

    existing = [name for name in (MANIFEST, SUMMARY, FASTA, GFF3) if (out / name).exists()]
    if existing and not overwrite:
        message = f"the folder already has {', '.join(existing)}."
        fix = "Choose another folder with -o, or add --overwrite."
        raise OutputExistsError("OUT-003", message, where=str(out), fix=fix)
    (out / MANIFEST).unlink(missing_ok=True)


def _remove(out: Path) -> None:
    """Take away what was made: without the manifest nothing says of which run it is."""
    for name in (MANIFEST, SUMMARY, FASTA, GFF3):
        (out / name).unlink(missing_ok=True)


def _write(out: Path, contigs: Iterable, parameters: dict) -> dict:
    """FASTA and GFF3 in one pass over the contigs, then the summary; the manifest comes last."""
    from importlib.metadata import version

    import numpy as np

    from genoformer.annotation.write_gff3 import Gff3Writer
    from genoformer.files import write_json_atomic, write_manifest
    from genoformer.sequence.fasta import write_fasta

    n_records = n_bases = n_genes = n_gc = 0
    with Gff3Writer(out / GFF3) as gff3:

        def records() -> Iterator:
            nonlocal n_records, n_bases, n_genes, n_gc
            for record, genes in contigs:
                gff3.add(record, genes, genetic_code=parameters["genetic_code"])
                counts = np.bincount(record.codes, minlength=4)
                n_records, n_bases, n_genes = n_records + 1, n_bases + len(record), n_genes + len(genes)
                n_gc += int(counts[1] + counts[2])
                yield record

        write_fasta(out / FASTA, records())
    summary = {
        "n_records": n_records, "n_bases": n_bases, "n_genes": n_genes, "gc": round(n_gc / n_bases, 4),
        "parameters": parameters, "version": version("genoformer"),
    }  # fmt: skip
    write_json_atomic(out / SUMMARY, summary)
    write_manifest(out, [FASTA, GFF3, SUMMARY])
    return summary
