"""A page about predicted genes: a genome browser, maps, a table, pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from genoformer.annotation.gene_files import gene_id, named_transcripts
from genoformer.annotation.models import Gene, RnaGene, sort_genes
from genoformer.annotation.write_tables import table_row
from genoformer.applications.genes.figures import GeneFigures
from genoformer.applications.genes.request import codes_in_words
from genoformer.inference.report_files import Finished, ReportWriter
from genoformer.inference.tracks import STRANDS, Track
from genoformer.report import fetch_igv
from genoformer.report.genome_browser import (
    MAX_SEQUENCE_BP,
    BrowsedGenes,
    BrowsedRecord,
    BrowsedTrack,
    browser_part,
    browser_scripts,
)  # fmt: skip
from genoformer.report.igv import igv_script
from genoformer.report.markup import Markup, element, join
from genoformer.report.page import Column, Section, data_table, facts, note
from genoformer.report.svg_circle import CircleGene, circle_map, composition
from genoformer.sequence.records import Record

MAX_GENES = 60_000
"""Genes of a page, and records that have them: of more it has the first, and says so."""
MAX_CIRCLE_BP = 20_000_000
MAX_CIRCLES = 8
MIN_CIRCLE_BP = 1_000
N_BINS = 400_000
"""Of a record in a track, at most."""
MIN_BIN_BP = 5
NOT_SHOWN = ("intergenic",)
"""Outputs that say what the others leave."""
TRACK_NAMES = {"codon": "coding"}
MAX_TRACK_BYTES = 12_000_000
"""Of all tracks, before they are packed: further records have none."""


class GeneReportWriter(ReportWriter):
    """The page.

    Args:
        path: The final name.
    """

    subject = "genes"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._figures = GeneFigures()
        self._records: list[BrowsedRecord] = []
        self._genes = BrowsedGenes()
        self._rna: BrowsedGenes | None = None
        self._rows: list[tuple] = []
        self._circles: list[tuple[int, Markup]] = []
        self._tracks: dict[tuple[str, int], dict[int, tuple[int, np.ndarray]]] = {}
        self._n_bases = self._n_left_out = self._n_without_track = self._track_bytes = 0

    def add(self, record: Record, found: list[Gene], **about: Any) -> None:
        genes = sort_genes(found)
        self._figures.add(record.id, record.codes, genes)
        self._n_bases += len(record)
        if len(self._rows) + len(genes) > MAX_GENES or len(self._records) >= MAX_GENES:
            self._n_left_out += len(genes)
            return
        codes = record.codes if self._n_bases <= MAX_SEQUENCE_BP else None
        self._records.append(BrowsedRecord(record.id, codes, len(record)))
        rows = [self._add_gene(record, gene, number) for number, gene in enumerate(genes, start=1)]
        self._add_circle(record, genes, rows, is_circular=bool(about.get("circular")))
        if "rna_genes" in about:
            self._rna = self._rna or BrowsedGenes()
            for rna in about["rna_genes"]:
                self._browse(self._rna, record, rna, rna.product or rna.kind)

    def _add_gene(self, record: Record, gene: Gene, number: int) -> int:
        """A row and a place in the browser for each transcript; gives the row of the best one."""
        first_row, gene_name = len(self._rows), gene_id(record.id, number)
        for name, transcript in named_transcripts(gene_name, gene):
            label = (gene.locus_tag or gene.name or f"{number:05d}") + name.removeprefix(gene_name)
            self._add_transcript(record, transcript, name, label)
        return first_row

    def _add_transcript(self, record: Record, gene: Gene, name: str, label: str) -> None:
        row, genes = len(self._rows), self._genes
        product = "; ".join(f"{name} ({score:.2f})" for name, score in gene.functions) or gene.product
        self._rows.append((*table_row(record, gene, name), gene.locus_tag, product))
        self._browse(genes, record, gene, label)
        if len(gene.parts) > 1 and gene.end <= len(record):
            genes.parts[row] = list(gene.parts)
        if gene.below_best is not None:
            genes.alternatives.append(row)

    def _browse(self, browsed: BrowsedGenes, record: Record, gene: Gene | RnaGene, label: str) -> None:
        browsed.record.append(len(self._records) - 1)
        browsed.start.append(gene.start)
        browsed.end.append(min(gene.end, len(record)))
        browsed.strand.append(int(gene.strand == "+"))
        browsed.score.append(None if gene.score is None else round(gene.score, 4))
        browsed.label.append(label)

    def _add_circle(self, record: Record, genes: list[Gene], rows: list[int], *, is_circular: bool) -> None:
        """The map of a record, if it is long enough, and none of more than a few: the longest."""
        is_small = len(self._circles) == MAX_CIRCLES and len(record) <= self._circles[-1][0]
        if is_small or not MIN_CIRCLE_BP <= len(record) <= MAX_CIRCLE_BP or not genes:
            return
        shown = [
            CircleGene(gene.start, gene.end, int(gene.strand == "+"), row, self._genes.label[row])
            for row, gene in zip(rows, genes, strict=True)
        ]
        bases = composition(record.codes)
        drawn = circle_map(record.id, len(record), shown, bases, is_circular=is_circular)
        self._circles = sorted([*self._circles, (len(record), drawn)], key=lambda pair: -pair[0])[:MAX_CIRCLES]

    def add_track(self, track: Track, channels: tuple[str, ...]) -> None:
        """Keep the highest probability in each bin of the record that was added last.

        Args:
            track: Of the record.
            channels: Names of the outputs.
        """
        number = len(self._records) - 1
        if number < 0 or self._track_bytes > MAX_TRACK_BYTES or self._n_left_out:
            self._n_without_track += 1
            return
        bin_bp = max(MIN_BIN_BP, -(-self._records[number].length // N_BINS))
        for strand in range(len(STRANDS)):
            for i, channel in enumerate(channels):
                if channel in NOT_SHOWN:
                    continue
                values = self._tracks.setdefault((track_name(channel), strand), {})
                if number not in values:
                    values[number] = (bin_bp, np.zeros(-(-self._records[number].length // bin_bp), np.uint8))
                    self._track_bytes += len(values[number][1])
                highest(values[number][1], track, strand * len(channels) + i, bin_bp)

    def sections(self, finished: Finished) -> list[Section]:
        told = "The sequence with its genes. Drag to move; click on a gene, on a row of the table, or on the circle."
        parts = [self._summary(finished)]
        if self._rows:
            order = list(dict.fromkeys(name for name, _ in self._tracks))
            sorted_tracks = sorted(self._tracks.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
            tracks = [BrowsedTrack(f"{name} {'+-'[strand]}", 1 - strand, v) for (name, strand), v in sorted_tracks]
            browser = browser_part(self._records, self._genes, tracks, self._rna)
            parts += [Section("Browser", browser, told), Section("Genes", self._table(), SEARCHING)]
            parts += [Section("Maps", self._maps(), ABOUT_MAPS)] if self._circles else []
            parts += [Section("Pictures", self._figures.draw())]
        return parts

    def scripts(self) -> list[str]:
        return browser_scripts() if self._rows else []

    def versions(self) -> dict[str, str]:
        return {"igv.js": fetch_igv.VERSION if igv_script() else "not there"}

    def _maps(self) -> Markup:
        return element("div", *(drawn for _, drawn in self._circles), class_="circles")

    def _summary(self, finished: Finished) -> Section:
        said = finished.summary
        told = {
            "genes": f"{said['n_genes']:,}", "records": f"{said['n_records']:,}", "bases": f"{said['n_bases']:,}",
            "coding": f"{said['coding_share']:.1%}", "cut off at an end": f"{said['n_partial']:,}",
            "genetic code": codes_in_words(said),
            **{f"{kind} genes": f"{n:,}" for kind, n in said.get("rna_genes", {}).items()},
        }  # fmt: skip
        nothing = None if said["n_genes"] else note("No gene was found.")
        return Section("Summary", join(facts(told), familiarity_note(said), nothing, *map(note, self._limits())))

    def _limits(self) -> list[str]:
        """What the page does not hold, in sentences."""
        found = []
        if self._n_left_out:
            further = f"{self._n_left_out:,} further ones are in the files"
            found.append(f"Table, browser and maps show {len(self._rows):,} genes; {further}.")
        if any(record.codes is None for record in self._records):
            found.append(f"The browser shows no bases: the sequences have more than {MAX_SEQUENCE_BP:,} together.")
        if self._n_without_track:
            found.append(
                f"{self._n_without_track:,} records have no tracks of probabilities here; the files have them."
            )
        return found

    def _table(self) -> Markup:
        columns = list(zip(*self._rows, strict=True))
        names, starts, ends = columns[1], columns[2], columns[3]
        shown = [Column("gene", names)]
        shown += [Column("locus tag", columns[10])] if any(columns[10]) else []
        shown += [Column("product", columns[11])] if any(columns[11]) else []
        shown += [Column("record", columns[0])] if len(self._records) > 1 else []
        shown += [
            Column("start", starts, digits=0, about="first base, counted from 1"),
            Column("end", ends, digits=0), Column("strand", columns[4]),
            Column("length (bp)", columns[5], digits=0), Column("start codon", columns[7]),
            Column("confidence", columns[8], digits=3, about="calibrated: of genes with .9, 9 of 10 are right"),
        ]  # fmt: skip
        if any(score is not None for score in columns[9]):
            about = "that the gene begins here, if it is one"
            shown.append(Column("start confidence", columns[9], digits=3, about=about))
        return data_table("genes", shown, hint="Gene, product, or a place such as 1000-5000")


SEARCHING = (
    "Search words of a gene or product, or a place: START-END or RECORD:START-END. Click on a heading to sort, on a "
    "row to see the gene in the browser."
)
ABOUT_MAPS = (
    "Genes of the forward strand outside, of the reverse strand inside; then GC content (outwards where it is above "
    "the mean) and GC skew, (G − C) / (G + C). Click on a gene to see it in the browser."
)


def familiarity_note(said: Any) -> Markup | None:
    """Whether the genome looks like those of the training; None where nobody can say."""
    evidence, at_home = said.get("codon_evidence"), said.get("codon_evidence_in_training")
    if said.get("looks_familiar") is None:
        return None
    numbers = f"the model's evidence per codon is {evidence}, on its training genomes it was {at_home}"
    if said["looks_familiar"]:
        return note(f"The genome looks familiar to the model: {numbers}.")
    advice = "Genes may be missing; genoformer predict --adapt trains the model on this genome first."
    return note(f"The genome looks unlike those of the training: {numbers}. {advice}", is_warning=True)


def track_name(channel: str) -> str:
    """What the track of an output is called: those of the three places in a codon share one."""
    name, _, place = channel.rpartition("_")
    return TRACK_NAMES.get(name, name) if place in ("0", "1", "2") else channel


def highest(bins: np.ndarray, track: Track, row: int, bin_bp: int) -> None:
    """Raise bins to the highest step of a track in them.

    Args:
        bins: uint8 [N], changed.
        track: Of a record.
        row: Strand times the number of channels, and the channel.
        bin_bp: Bases in a bin.
    """
    for starts, ends, steps in track.runs(row):
        seen = steps > 0
        firsts, lasts, values = starts[seen] // bin_bp, (ends[seen] - 1) // bin_bp, steps[seen]
        np.maximum.at(bins, firsts, values)
        np.maximum.at(bins, lasts, values)
        for i in np.flatnonzero(lasts - firsts > 1):
            inside = slice(firsts[i] + 1, lasts[i])
            bins[inside] = np.maximum(bins[inside], values[i])
