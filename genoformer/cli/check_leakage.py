"""``genoformer check-leakage``: sequence that two sets share."""

import argparse
from pathlib import Path

COLUMNS = ("record_id", "start", "end", "share", "partner_id", "partner_share")
N_SHOWN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("first", help="training set: FASTA, GenBank or EMBL file, or table with --sequence-column")
    parser.add_argument("second", help="validation or test set")
    parser.add_argument("--sequence-column", help="column of the sequences in files that are tables")
    parser.add_argument("--id-column", help="column of the ids; lines are numbered by default")
    parser.add_argument(
        "--min-share", type=float, default=0.3, help="share of a stretch's 16-mers from which on it counts as shared"
    )
    parser.add_argument("--fail", action="store_true", help="exit with 1 when anything is shared")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("-o", "--out", type=Path, help="write all shared stretches as a table")


def run(args: argparse.Namespace) -> int:
    """Compare, print and check; returns the exit code.

    Raises:
        UsageError: If ``--min-share`` is out of range.
        CheckFailedError: If sequence is shared and ``--fail`` was given.
    """
    import json
    import sys

    from genoformer.errors import CheckFailedError, UsageError, WarningLog
    from genoformer.files import check_file_place, write_text_atomic
    from genoformer.genomes.leakage import find_leakage

    if not 0 < args.min_share <= 1:
        raise UsageError("OPTION-002", f"expected a share of (0, 1], found {args.min_share}.", where="--min-share")
    if args.out:
        check_file_place(args.out)
    log = WarningLog()
    found = find_leakage(
        lambda: _records(args.first, args, WarningLog()), _records(args.second, args, log), min_share=args.min_share
    )
    for line in log.lines():
        print(f"genoformer: {line}", file=sys.stderr)
    rows = [_row(piece) for piece in found.pieces]
    if args.out:
        write_text_atomic(args.out, "".join("\t".join(row) + "\n" for row in [COLUMNS, *rows]))
    print(json.dumps(_totals(found), indent=2) if args.json else _text(found, rows))
    if args.fail and found.pieces:
        raise CheckFailedError(
            "LEAKAGE-001", f"{found.n_shared_records} of {found.n_records} records share sequence with {args.first}.",
            where=args.second,
        )  # fmt: skip
    return 0


def _records(path: str, args: argparse.Namespace, log):
    """Records of FASTA, GenBank or EMBL; of a table when a column of sequences is named and the file is no such."""
    from genoformer.annotation.text_lines import read_head
    from genoformer.errors import DataError
    from genoformer.inference.input_files import is_flat_file, read_records
    from genoformer.labels.tables import read_table_sequences

    head = read_head(Path(path), 1 << 10).lstrip()
    if args.sequence_column is None and head[:1] not in (b">", b";", b"") and not is_flat_file(path):
        message = "this is neither FASTA, GenBank nor EMBL."
        fix = "If it is a table, name the column of the bases with --sequence-column."
        raise DataError("LEAKAGE-003", message, where=str(path), fix=fix)
    is_fasta = args.sequence_column is None or head[:1] in (b">", b";")
    if is_fasta or is_flat_file(path):
        return read_records(path, warnings=log)
    return read_table_sequences(path, args.sequence_column, args.id_column)


def _row(piece) -> tuple[str, ...]:
    place = (piece.record_id, str(piece.start + 1), str(piece.end))
    return (*place, f"{piece.share:.4f}", piece.partner_id, f"{piece.partner_share:.4f}")


def _totals(found) -> dict:
    return {
        "n_records": found.n_records, "n_shared_records": found.n_shared_records, "n_bases": found.n_bases,
        "shared_bp": found.shared_bp,
    }  # fmt: skip


def _text(found, rows: list[tuple[str, ...]]) -> str:
    lines = ["\t".join(row) for row in ([COLUMNS, *rows[:N_SHOWN]] if rows else [])]
    if len(rows) > N_SHOWN:
        lines.append(f"… and {len(rows) - N_SHOWN} more; -o FILE writes all")
    share = found.shared_bp / max(found.n_bases, 1)
    lines.append(
        f"{found.n_shared_records} of {found.n_records} records share sequence: {found.shared_bp:,} of "
        f"{found.n_bases:,} bp ({share:.2%}). Relatives below about 93 % identity are not found."
    )
    return "\n".join(lines)
