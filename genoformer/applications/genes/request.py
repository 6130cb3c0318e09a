"""What a prediction of genes is asked to do: options, and what they mean for each record."""

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import Any, ClassVar, Self

from genoformer.annotation.genetic_code import CODONS, get_genetic_code
from genoformer.annotation.models import Gene
from genoformer.annotation.read_bed import read_bed_intervals
from genoformer.annotation.read_hints import read_hints
from genoformer.bundle.header import BundleHeader
from genoformer.decoding.introns.hints import Hints
from genoformer.decoding.masking import Mask
from genoformer.decoding.options import CallOptions
from genoformer.errors import UsageError, WarningLog, counted
from genoformer.files.numbers import whole_number
from genoformer.inference.bundle_digests import decoder_digest
from genoformer.inference.formats import Formats, check_formats, stored_formats
from genoformer.inference.parts import Part
from genoformer.inference.reading import Reading, Region, Scan, scan_records
from genoformer.sequence.records import Record

N_NAMED = 5
"""Records that a message names, so that the user sees how ids look."""
TASK = "gene_structure"
AUTO = "auto"
"""In place of the number of a genetic code: it is to be found."""
BACTERIAL, WITHOUT_UGA = 11, 4
ANY_GAP_BP = 1 << 40
USUAL_GAP_BP = 9


@dataclass(frozen=True)
class GenomeScan(Scan):
    """What the input holds, and the mask that goes with it.

    Attributes:
        mask: Where no gene may lie.
        hints: What is known of genes.
        circular: Ids of the records that are circular, whoever says so.
    """

    mask: Mask = field(default_factory=Mask)
    hints: Hints = field(default_factory=Hints)
    circular: tuple[str, ...] = ()


def genome_scan(scan: Scan) -> GenomeScan:
    """A scan with what is known of genes; nothing where it does not say it."""
    return scan if isinstance(scan, GenomeScan) else GenomeScan(0, 0, "")


@dataclass(frozen=True)
class GeneRequest:
    """What the user decides about a prediction of genes; everything here can change the results.

    Attributes:
        call: Genetic code, or two to choose from, shortest gene and gaps.
        reading: How the input is read.
        formats: Words of the application's formats.
        circular: Ids of circular records; ``("auto",)`` trusts a FASTA header, GenBank or EMBL that says so; empty for
            none.
        locus_tag: Prefix of gene names; "" for none.
        statistics: Let codon usage, start codons and binding sites of the input itself count.
        metagenome: The records are of many organisms: each has its own statistics, or none if it is short.
        adaptation: Settings of an adaptation to the input that comes first, JSON types; None for none.
        functions: What says what genes do: digest and calibration of a model, and how sure a label must be; None for
            genes alone.
        precision: Of the model pass; None for what the machine is fast in.
        mask: BED file of intervals in which no gene may lie (see ``decoding.masking``), plain or gzip.
        hints: GFF file of hints (see ``annotation.read_hints``), plain or gzip; for genes with introns.
    """

    call: CallOptions
    reading: Reading = field(default_factory=Reading)
    formats: tuple[str, ...] = ("gff3", "tsv", "protein")
    circular: tuple[str, ...] = ()
    locus_tag: str = ""
    statistics: bool = True
    metagenome: bool = False
    adaptation: dict[str, Any] | None = None
    functions: dict[str, Any] | None = None
    precision: str | None = None
    mask: str | None = None
    hints: str | None = None

    known_formats: ClassVar[Part[Formats]] = Part("genoformer.applications.genes.outputs:FORMATS")

    @classmethod
    def add_arguments(cls, group: argparse._ArgumentGroup) -> None:
        """Options of every command that finds genes."""
        group.add_argument(
            "--genetic-code", type=code_or_auto, metavar="CODE",
            help="NCBI number, or auto: for each record that which fits it, 11 or 4 (25), for genes without introns; "
            "by default the model's own, with --metagenome auto",
        )  # fmt: skip
        group.add_argument("--region", help="only RECORD:START-END, 1-based, both included")
        group.add_argument(
            "--circular",
            default="auto",
            help="auto (what the input says), none, or ids of circular records, comma-separated",
        )
        group.add_argument(
            "--mask", metavar="BED", help="BED file of intervals without genes (rRNA, tRNA …), plain or gzip"
        )
        group.add_argument(
            "--hints", metavar="GFF",
            help="hints in Augustus' format (introns of RNA-seq, coding parts of proteins …); for genes with introns",
        )  # fmt: skip
        group.add_argument(
            "--isoforms", type=int, default=1, metavar="N",
            help="transcripts of a gene, at most: the best and those nearly as good (1); for genes with introns",
        )  # fmt: skip
        group.add_argument("--min-gene-bp", type=int, default=90, help="shortest gene, stop codon included")
        group.add_argument("--across-gaps", action="store_true", help="let genes run across runs of ten or more N")
        group.add_argument(
            "--no-statistics", action="store_true", help="do not learn codon usage and starts from the input itself"
        )
        group.add_argument(
            "--metagenome", action="store_true",
            help="records of many organisms: each has statistics of its own, if long",
        )  # fmt: skip
        group.add_argument("--locus-tag", default="", help="prefix of locus tags")

    @classmethod
    def from_arguments(cls, args: argparse.Namespace, header: BundleHeader) -> Self:
        """The request of a command line; the model's genetic code is the default."""
        call = _call_options(args, header)
        if args.min_gene_bp < 1:
            message = f"expected a positive number, found {args.min_gene_bp}."
            raise UsageError("OPTION-001", message, where="--min-gene-bp")
        max_gap_bp = ANY_GAP_BP if args.across_gaps else USUAL_GAP_BP
        words = None if args.formats is None else args.formats.split(",")
        return cls(
            call=replace(call, min_gene_bp=args.min_gene_bp, max_gap_bp=max_gap_bp, isoforms=_isoforms(args, header)),
            reading=Reading(args.on_bad_record, region=read_region(args.region)),
            formats=check_formats(words, cls.known_formats.load()),
            circular=() if args.circular == "none" else tuple(args.circular.split(",")),
            locus_tag=args.locus_tag,
            statistics=not args.no_statistics,
            metagenome=args.metagenome,
            precision=args.precision,
            mask=args.mask,
            hints=args.hints,
        )

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """What ``to_dict`` gave."""
        region = stored["reading"]["region"]
        reading = Reading(**{**stored["reading"], "region": tuple(region) if region else None})
        formats = stored_formats(stored["formats"], cls.known_formats.load())
        lists = {"circular": tuple(stored["circular"]), "formats": formats}
        return cls(**{**stored, **lists, "call": CallOptions(**stored["call"]), "reading": reading})

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, without mask and hints: where they lie says nothing, what they hold stands in the key."""
        stored = {**asdict(replace(self, mask=None, hints=None)), "reading": self.reading.to_dict()}
        if self.call.other_code is None:
            stored["call"].pop("other_code")
        if self.call.isoforms == 1:
            stored["call"].pop("isoforms")
        return json.loads(json.dumps(stored))

    def scan(self, paths: list[str], warnings: WarningLog) -> GenomeScan:
        """Read all of the input once; see ``interface.Request``."""
        lengths: dict[str, int] = {}
        region = self.reading.region
        missing = set(self.circular) - {"auto"} if region is None else {region[0]}
        first: list[str] = []
        namesakes = set() if region is None else region_names(region)
        ambiguous: list[str] = []
        circular: list[str] = []

        def wanted() -> Iterator[Record]:
            for number, record in self.reading.all_records(paths, warnings):
                missing.discard(record.id)
                if record.id in namesakes:
                    ambiguous.append(record.id)
                if number < N_NAMED:
                    first.append(record.id)
                if self.mask is not None or self.hints is not None:
                    lengths[record.id] = len(record)
                if self.reading.wants(record):
                    circular.extend([record.id] if self.call_options(record).circular else [])
                    yield record

        found = scan_records(wanted(), lambda record: len(self.reading.stretch(record)))
        if region is not None and not missing and found.n_bases < region[2] - region[1]:
            end = region[1] + found.n_bases
            warnings.add("REGION-005", f'the region ends at {region[2]}, but "{region[0]}" has {end} bp: it ends there')
        if missing and region is not None:
            message = f'there is no record "{region[0]}"; the input begins with {", ".join(first)}.'
            raise UsageError("REGION-001", message)
        if ambiguous:  # samtools refuses it, too
            message = f'"{ambiguous[0]}" is a stretch of a record and the name of another one.'
            raise UsageError("REGION-004", message, where="--region", fix="Rename that record.")
        if missing:
            message = f"--circular names records that are not there: {', '.join(sorted(missing))}."
            raise UsageError("CIRCULAR-001", message)
        intervals = {} if self.mask is None else read_bed_intervals(self.mask, lengths, warnings)
        hints = {} if self.hints is None else read_hints(self.hints, lengths, warnings)
        return GenomeScan(**vars(found), mask=Mask(intervals), hints=Hints(hints), circular=tuple(circular))

    def key(self, header: BundleHeader, scan: Scan) -> dict[str, Any]:
        """What makes two predictions the same, JSON types."""
        asked, genome = self.to_dict(), genome_scan(scan)
        if genome is scan:  # not what was asked: with "auto" the files say it
            asked["circular"] = list(genome.circular)
        for name in ("buffer_bp", "hints"):
            asked["call"].pop(name)
        return {
            **asked, "mask": genome.mask.digest(), "hints": genome.hints.digest(), "task": header.config.task,
            "tile_bp": header.config.tile_bp, "context_bp": header.config.context_bp,
            "sequence_digest": scan.sequence_digest, "model_digest": header.digest,
            "decoder_digest": decoder_digest(header.calibration), "version": version("genoformer"),
        }  # fmt: skip

    def call_options(self, record: Record) -> CallOptions:
        """Options of one record: circular if it is named, or its file or header says so."""
        header = f" {record.description.lower()} "
        says_so = record.circular or any(mark in header for mark in ("circular=true", "topology=circular"))
        circular = record.id in self.circular or ("auto" in self.circular and says_so)
        return replace(self.call, circular=circular and self.reading.region is None)

    def placed(self, genes: list[Gene]) -> list[Gene]:
        """Genes of a stretch in coordinates of its record."""
        region = self.reading.region
        return genes if region is None else [gene.shifted(region[1]) for gene in genes]


def asked_code(asked: int | str | None, own: int) -> CallOptions:
    """Options with the code that was asked for.

    Args:
        asked: NCBI number, ``AUTO``, or None for the model's own. ``AUTO`` asks for two, of which the first has UGA as
            a stop and the second does not.
        own: NCBI number that the model assumes.

    Raises:
        UsageError: If there is no such code.
    """
    if asked == AUTO:
        has_uga = get_genetic_code(own).stop_mask[CODONS.index("TGA")]
        return CallOptions(genetic_code=own if has_uga else BACTERIAL, other_code=WITHOUT_UGA)
    code: Any = own if asked is None else asked
    return CallOptions(genetic_code=get_genetic_code(code).number)


def codes_in_words(summary: Mapping[str, Any]) -> str:
    """The genetic code of a prediction; those of its records, where each has its own.

    Args:
        summary: Content of ``summary.json``.
    """
    found = summary.get("records_by_genetic_code")
    if found is None:
        return str(summary["genetic_code"])
    return ", ".join(f"{code} in {counted(found[code], 'record')}" for code in sorted(found, key=int))


def code_or_auto(text: str) -> int | str:
    """The value of ``--genetic-code``: a number, or "auto"."""
    number = whole_number(text)
    if number is None and text != AUTO:
        raise argparse.ArgumentTypeError(f"expected an NCBI number or auto, found {text[:40]!r}")
    return AUTO if number is None else number


def _call_options(args: argparse.Namespace, header: BundleHeader) -> CallOptions:
    """Options with the genetic code, which is to be found for a mixture of organisms unless it is given."""
    has_introns = header.config.task != TASK
    if args.genetic_code == AUTO and has_introns:
        message = "a model of genes with introns reads one genetic code."
        raise UsageError("CODE-002", message, where="--genetic-code auto", fix="Give the number of the code.")
    is_open = args.genetic_code is None and args.metagenome and not has_introns
    return asked_code(AUTO if is_open else args.genetic_code, header.config.genetic_code)


def _isoforms(args: argparse.Namespace, header: BundleHeader) -> int:
    """How many transcripts a gene may have."""
    check_isoforms(args.isoforms, "--isoforms")
    if args.isoforms > 1 and header.config.task == TASK:
        message = f"{header.name} finds genes without introns, which have one transcript."
        fix = "Take a model for genes with introns, or leave --isoforms out."
        raise UsageError("OPTION-004", message, where="--isoforms", fix=fix)
    isoforms: int = args.isoforms
    return isoforms


def check_isoforms(n: int, where: str) -> None:
    """UsageError if no gene can have at most so many transcripts."""
    if n < 1:
        raise UsageError("OPTION-001", f"expected a positive number, found {n}.", where=where)


def region_names(region: Region) -> set[str]:
    """The texts of a region, each of which may be the name of a record as well."""
    name, start, end = region
    return {f"{name}:{start + 1}-{end}", f"{name}:{start + 1:,}-{end:,}"}


def read_region(text: str | None) -> Region | None:
    """RECORD:START-END, 1-based and inclusive, as 0-based and half-open; UsageError if it is something else."""
    if text is None:
        return None
    match = re.fullmatch(r"(.+):([0-9,]+)-([0-9,]+)", text)
    start, end = (whole_number(match[i].replace(",", "")) or 0 for i in (2, 3)) if match else (0, 0)
    if match is None or not 1 <= start <= end:
        raise UsageError(
            "REGION-003", f'expected RECORD:START-END with 1 ≤ START ≤ END, found "{text[:80]}".', where="--region"
        )
    return match[1], start - 1, end
