"""Every format that is read: a valid file, and the reader that a command uses for it."""

import dataclasses
import gzip
import hashlib
import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import torch

from genoformer.annotation.read import read_annotation
from genoformer.annotation.read_bed import read_bed_intervals
from genoformer.annotation.read_hints import read_hints
from genoformer.annotation.seqids import read_seqid_map
from genoformer.errors import WarningLog
from genoformer.genomes.genome_table import read_genome_table
from genoformer.inference.input_files import read_records
from genoformer.inference.table_records import read_table_records
from genoformer.labels.ontology import read_obo
from genoformer.labels.split_file import read_parts
from genoformer.labels.tables import TableColumns, read_label_table, read_labelled_fasta, read_labels
from genoformer.structures.contact_labels import read_contacts
from genoformer.structures.pair_files import read_pair_files
from robustness_kinds import mutate
from robustness_kinds.guard import command
from robustness_kinds.inputs import Inputs
from robustness_kinds.mutate import BINARY, PACKED, PLAIN, TEXT, comments

PLACES = {"where", "line", "lines", "path", "name", "group", "number"}
"""Attributes that say where something stood, not what it is."""


@dataclass(frozen=True)
class Format:
    """A format as one reader takes it.

    Attributes:
        name: Of the row in the table.
        file: What the file is called; readers that go by names see this one.
        data: A valid file.
        read: What the reader makes of a path: a value to compare, or an exit code and what was said.
        weight: Share of the mutants, relative to others.
        changes: What is done to it.
        neutral: Changes that must not change what is read.
        packed: How the text is packed after it was changed.
    """

    name: str
    file: str
    data: bytes
    read: Callable[[Path], Any]
    weight: float = 1.0
    changes: Sequence[mutate.Change] = TEXT
    neutral: Sequence[Callable[..., bytes]] = ()
    packed: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True)
class Ended:
    """How a command ended, and a digest of what it wrote."""

    code: int
    said: str
    digest: str


def formats(inputs: Inputs, scratch: Path) -> list[Format]:
    """All formats that have a reader of their own; ``scratch`` is where commands write."""
    inputs.genome, inputs.labelled, inputs.introns  # noqa: B018  made here, once
    return [
        *_sequences(inputs, scratch), *_annotations(inputs, scratch), *_intervals(inputs, scratch),
        *_tables(inputs, scratch), *_structures(inputs), *_ontologies(inputs),
    ]  # fmt: skip


def _sequences(inputs: Inputs, scratch: Path) -> list[Format]:
    text = inputs.genome.read_bytes()
    labelled = (inputs.folder / "sequences.fa").read_bytes()

    def skipping(path: Path) -> Any:
        return [canonical(list(read_records(path, on_bad_record=word, warnings=WarningLog()))) for word in RECORDS]

    def predicted(path: Path) -> Any:
        return run(scratch, "predict", path, "--model", inputs.bundle("genes"), "-o", scratch / "o")

    return [
        Format("FASTA", "g.fa", text, records, 2, neutral=(*PLAIN, *PACKED, lower_case)),
        Format("FASTA, bad records left out", "g.fa", text, skipping, 1),
        Format("FASTA, predict", "g.fa", text, predicted, 0.1, neutral=(*PLAIN, *PACKED)),
        Format("FASTA with labels", "s.fa", labelled, labelled_fasta, neutral=(*PLAIN, *PACKED)),
        Format("FASTA in gzip", "g.fa.gz", text, records, packed=mutate.gzipped),
        Format("gzip", "g.fa.gz", gzip.compress(text, mtime=0), records, changes=BINARY),
        Format("FASTA in bgzip", "g.fa.gz", text, records, packed=mutate.bgzipped),
        Format("bgzip", "g.fa.gz", mutate.bgzipped(text), records, changes=BINARY),
    ]


RECORDS = ("error", "skip")


def lower_case(data: bytes) -> bytes:
    """Bases in small letters."""
    return b"".join(line if line[:1] == b">" else line.lower() for line in data.splitlines(keepends=True))


def records(path: Path) -> Any:
    """Sequences as ``predict`` reads them."""
    return canonical(list(read_records(path, warnings=WarningLog())))


def labelled_fasta(path: Path) -> Any:
    """Labels of FASTA headers."""
    return canonical(read_labelled_fasta([path], "label", None, WarningLog()))


def _annotations(inputs: Inputs, scratch: Path) -> list[Format]:
    genes, introns = inputs.folder / "genome.gff3", inputs.folder / "introns.gff3"
    out = scratch / "scores.json"

    def scored(fasta: Path, *more: object) -> Callable[[Path], Any]:
        return lambda path: run(scratch, "evaluate", path, genes, "--fasta", fasta, *more, "-o", out)

    def prepared(fasta: Path, *more: object) -> Callable[[Path], Any]:
        return lambda path: run(scratch, "prepare", fasta, "--annotation", path, *more, "-o", scratch / "store.h5")

    def introns_scored(path: Path) -> Any:
        options = ("--task", "gene_structure_eukaryote", "--fasta", inputs.introns, "-o", out)
        return run(scratch, "evaluate", path, introns, *options)

    found = []
    for name, ending, mark in (
        ("GFF3", "gff3", b"#"),
        ("GTF", "gtf", b"#"),
        ("GenBank", "gbk", b""),
        ("EMBL", "embl", b""),
    ):
        data = (inputs.folder / f"genome.{ending}").read_bytes()
        neutral = (*PLAIN, *PACKED, *([comments(mark)] if mark else []))
        found += [
            Format(f"{name}, evaluate", f"a.{ending}", data, scored(inputs.genome), 1.5, neutral=neutral),
            Format(f"{name}, prepare", f"a.{ending}", data, prepared(inputs.genome), 1.5),
            Format(f"{name}, genes", f"a.{ending}", data, annotation, 1.5, neutral=neutral),
        ]
        if not mark:
            found.append(Format(f"{name}, sequence", f"a.{ending}", data, records, neutral=(*PLAIN, *PACKED)))
    data = introns.read_bytes()
    return [
        *found,
        Format("GFF3 with introns, evaluate", "i.gff3", data, introns_scored, 1.5, neutral=(*PLAIN, comments(b"#"))),
        Format("GFF3 with introns, prepare", "i.gff3", data, prepared(inputs.introns, "--labels", "introns")),
    ]


def annotation(path: Path) -> Any:
    """Genes as every command reads them."""
    return canonical(read_annotation(path))


def _intervals(inputs: Inputs, scratch: Path) -> list[Format]:
    lengths = {record.id: len(record) for record in read_records(inputs.genome)}
    genes = inputs.folder / "genome.gff3"
    vcf = (inputs.folder / "variants.vcf").read_bytes()
    rows = "{0}\tb2h\tintron\t101\t160\t0\t+\t.\tmult=12;src=E\n{0}\tx\tCDSpart\t50\t100\t1\t-\t0\tgrp=p1;src=P\n"
    hints = "# made up\n" + "".join(map(rows.format, lengths))

    def variants(*more: str) -> Callable[[Path], Any]:
        words = ("--model", "none", "--annotation", genes, "--formats", "tsv", "-o", scratch / "o", *more)
        return lambda path: run(scratch, "variants", inputs.genome, path, *words)

    def mapped(path: Path) -> Any:
        return run(scratch, "evaluate", genes, genes, "--seqid-map", path, "-o", scratch / "scores.json")

    ids = "".join(f"{name}\t{name}\n" for name in lengths).encode()
    return [
        Format("BED mask", "m.bed", (inputs.folder / "mask.bed").read_bytes(),
               lambda path: canonical(read_bed_intervals(path, lengths, WarningLog())), 1.5,
               neutral=(*PLAIN, *PACKED, comments(b"#"))),
        Format("hints", "h.gff", hints.encode(), lambda path: canonical(read_hints(path, lengths, WarningLog())),
               neutral=(*PLAIN, *PACKED, comments(b"#"))),
        Format("VCF", "v.vcf", vcf, variants(), 1.5, neutral=(mutate.crlf, mutate.without_last_end, *PACKED)),
        Format("VCF, rows that do not fit left out", "v.vcf", vcf, variants("--skip")),
        Format("table of ids", "ids.tsv", ids, lambda path: canonical(read_seqid_map(path)),
               neutral=(*PLAIN, *PACKED, comments(b"#"))),
        Format("table of ids, evaluate", "ids.tsv", ids, mapped, 0.5),
    ]  # fmt: skip


COLUMNS = TableColumns(label="label", sequence="dna", id="id")


def _tables(inputs: Inputs, scratch: Path) -> list[Format]:
    folder = inputs.folder
    rows = [line.split("\t") for line in (folder / "kinds.tsv").read_text().splitlines()]
    columns = {name: [row[i] for row in rows[1:]] for i, name in enumerate(rows[0])}
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), parquet)
    parts = "".join(f"{name}\t{'train' if i % 3 else 'test'}\n" for i, name in enumerate(columns["id"])).encode()
    genomes = f"fasta\tannotation\tgenetic_code\tweight\tgroup\n{inputs.genome}\t{folder / 'genome.gff3'}\t11\t1\ta\n"
    more = f"{inputs.introns}\t{folder / 'introns.gff3'}\t1\t2.5\tb\n"

    def shared(path: Path) -> Any:
        words = ("--sequence-column", "dna", "--id-column", "id", "-o", scratch / "shared.tsv")
        return run(scratch, "check-leakage", path, path, *words)

    found = []
    for name, file in (("TSV", "kinds.tsv"), ("CSV", "kinds.csv")):
        data = (folder / file).read_bytes()
        found += [
            Format(f"{name}, labels", file, data, labels, neutral=(*PLAIN, *PACKED)),
            Format(f"{name}, sequences", file, data, table_records, neutral=(*PLAIN, *PACKED)),
            Format(f"{name}, check-leakage", file, data, shared, 0.5, neutral=(*PLAIN, *PACKED)),
        ]
    return [
        *found,
        Format("Parquet", "k.parquet", parquet.getvalue(), table_records, changes=BINARY),
        Format("table of parts", "parts.tsv", parts, lambda path: canonical(read_parts(path)),
               neutral=(*PLAIN, *PACKED, comments(b"#"))),
        Format("table of genomes", "genomes.tsv", (genomes + more).encode(),
               lambda path: canonical(read_genome_table(path)), 1.5, neutral=(*PLAIN, *PACKED, comments(b"#"))),
    ]  # fmt: skip


def labels(path: Path) -> Any:
    """A table of labelled sequences, for training and as a reference."""
    log = WarningLog()
    return canonical([read_label_table([path], COLUMNS, [], log), read_labels(path, COLUMNS, log)])


def table_records(path: Path) -> Any:
    """Sequences of a table, for predictions."""
    return canonical(list(read_table_records(path, "dna", "id")))


def _structures(inputs: Inputs) -> list[Format]:
    folder = inputs.folder
    chain = read_label_table([folder / "contacts.tsv"], TableColumns("structure", "dna", "id"), [], WarningLog())[0]

    def contacts(path: Path) -> Any:
        return canonical(read_contacts(dataclasses.replace(chain, label=f"{path.name}:A"), path.parent, 1))

    def pairs(path: Path) -> Any:
        return canonical(read_pair_files([path]))

    return [
        *(Format(name, file, (folder / file).read_bytes(), pairs, 1.5, neutral=(*PLAIN, *PACKED))
          for name, file in (("dot-bracket", "some.dbn"), ("CT", "some.ct"), ("bpseq", "one.bpseq"))),
        Format("PDB", "p0.pdb", (folder / "p0.pdb").read_bytes(), contacts, 2, neutral=(*PLAIN, *PACKED)),
        Format("mmCIF", "p0.cif", (folder / "p0.cif").read_bytes(), contacts, 2, neutral=(*PLAIN, *PACKED)),
    ]  # fmt: skip


def _ontologies(inputs: Inputs) -> list[Format]:
    def ontology(path: Path) -> Any:
        found = read_obo(path)
        return canonical([found, found.ancestors])

    data = (inputs.folder / "terms.obo").read_bytes()
    return [Format("OBO", "t.obo", data, ontology, 1.5, neutral=(*PLAIN, *PACKED))]


def run(scratch: Path, *words: object) -> Ended:
    """Run a command whose files go to ``scratch``, which is emptied before."""
    for path in scratch.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, said = command(words)
    return Ended(code, said, digest_of(scratch))


def digest_of(folder: Path) -> str:
    """What a command has written, but not what describes the run or the file that was read."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".json", ".tsv", ".gff3", ".faa") and path.name in FREE_OF_NAMES:
            found.update(path.read_bytes())
    return found.hexdigest()


FREE_OF_NAMES = {"scores.json", "shared.tsv", "genes.gff3", "genes.tsv", "proteins.faa", "variants.tsv"}


def canonical(value: Any) -> Any:
    """A value as what can be compared: without what says where it stood."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name for one in dataclasses.fields(value)} - PLACES
        return (type(value).__name__, *(canonical(getattr(value, name)) for name in sorted(fields)))
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, torch.Tensor):
        return (str(value.dtype), value.tolist())
    if isinstance(value, dict):
        return {key: canonical(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(one) for one in value]
    return value
