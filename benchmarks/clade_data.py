"""Training, validation and test data for genes with introns, from annotated genomes, regions and loci.

    python benchmarks/clade_data.py DATA OUT

DATA is the folder of real genomes with ``more`` and ``more2`` in it. OUT gets ``NAME-train``, ``NAME-validation`` and
``NAME-test`` (FASTA and GFF3) of every set, and ``fungi.tsv`` and ``eukaryotes.tsv``, tables of genomes that
``genoformer fit`` reads: ``FUNGI_WEIGHTS`` and ``WEIGHTS`` are the shares of the crops, and validation has
none. The second table adds animals, plants, algae and trypanosomatids to the fungi; of the worm it has what
``intron_data.py`` makes, if that was written to OUT before. ``left_out.tsv`` is the second without the species in
``LEFT_OUT``.

Stretches that may hold genes nobody labelled are written as pseudogenes, which neither training nor scores look at:
intergenic sequence with runs of N that stand for repeats (yeast), and flanks of loci. Species that read CTG as serine
are left out. Regions around gene clusters of fungi are divided by genus: of the genera in alphabetical order, but for
those with the most regions, every fifth tests; of the rest, every tenth validates.
"""

import argparse
import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.write_gff3 import write_gff3
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record

Row = tuple[Record, list[Gene]]
Parts = dict[str, list[Row]]
YEAST_TEST, YEAST_VALIDATION = ("NC_001144.5", "NC_001145.3"), ("NC_001138.5",)
"""Chromosomes XII and XIII, and VI."""
KOMAGATAELLA_TEST = ("chromosome_4",)
LARGE_GENERA = ("Fusarium", "Aspergillus", "Colletotrichum")
"""With 74 to 150 regions each; without them there would be little to learn from."""
CODE_12 = ("Candida", "Clavispora", "Diutina", "Hyphopichia", "Metschnikowia", "Scheffersomyces", "Spathaspora",
           "Suhomyces")  # fmt: skip
NOT_CODE_12 = "Candida glabrata"
TEST_SPECIES = ("Aspergillus terreus", "Fusarium verticillioides")
"""Their clusters test what a species of a known genus gives."""
INDEX = "more2/genomes_eukaryote/fungi_ICS_regions_index.tsv.gz"
TEST_BP, VALIDATION_BP = 750_000, 150_000
"""Of regions of other genera in each of the two files, one region of a species at a time."""
RUN_OF_N = 10
FLANK_BP = 100
"""Bases beside the genes of a locus that count."""
UNKNOWN = 4


@dataclass(frozen=True)
class Set:
    """Sequence and annotation, and how records are divided.

    Attributes:
        stem: Path without the endings, in DATA.
        endings: Of FASTA and annotation.
        divide: From the records with their genes to training, validation and test.
        mask: What of a record is not labelled: spans by record and genes.
        sources: Rows of the annotation that count; all without any.
    """

    stem: str
    endings: tuple[str, str]
    divide: Callable[[list[Row]], Parts]
    mask: Callable[[Record, list[Gene]], list[tuple[int, int]]]
    sources: tuple[str, ...] = ()


def by_name(test: tuple[str, ...], validation: tuple[str, ...] = ()) -> Callable[[list[Row]], Parts]:
    """Records of these names test or validate, the others train."""

    def divide(rows: list[Row]) -> Parts:
        parts: Parts = {"train": [], "validation": [], "test": []}
        for record, genes in rows:
            part = "test" if record.id in test else "validation" if record.id in validation else "train"
            parts[part].append((record, genes))
        return parts

    return divide


def as_test(rows: list[Row]) -> Parts:
    return {"test": rows}


def every_fifth_record(rows: list[Row]) -> Parts:
    return {"train": [row for i, row in enumerate(rows) if i % 5 != 4], "test": rows[4::5]}


def as_training(rows: list[Row]) -> Parts:
    return {"train": rows}


def end_tests(share: float) -> Callable[[list[Row]], Parts]:
    """The end of the longest record tests: this share of its bases, cut where no gene lies.

    Records end with their last gene: the annotation of poplar ends 3 Mb before its sequence.
    """

    def divide(rows: list[Row]) -> Parts:
        rows = [(Record(record.id, record.codes[: last_base(genes)]), genes) for record, genes in rows]
        longest = max(rows, key=lambda row: len(row[0]))
        record, genes = longest
        covered = np.zeros(len(record) + 1, dtype=bool)
        for gene in genes:
            covered[slice(*gene.transcript_span)] = True
        first = round((1 - share) * len(record))
        cut = first + int(np.argmin(covered[first:]))
        low = (Record(record.id, record.codes[:cut]), [gene for gene in genes if gene.transcript_span[1] <= cut])
        high = (Record(record.id, record.codes[cut:]), [gene.shifted(-cut) for gene in genes if gene.start >= cut])
        return {"train": [row for row in rows if row is not longest] + [low], "test": [high]}

    return divide


def last_base(genes: list[Gene]) -> int:
    return max((gene.transcript_span[1] for gene in genes), default=0)


def every_fifth_gene(rows: list[Row]) -> Parts:
    """Each gene with its flanks becomes a record; every fifth tests. Flanks have lengths that nobody can learn."""
    parts: Parts = {"train": [], "test": []}
    rng = np.random.default_rng(0)
    loci = (locus for record, genes in rows for locus in cut_loci(record, genes, rng))
    for i, locus in enumerate(loci):
        parts["test" if i % 5 == 4 else "train"].append(locus)
    return parts


def cut_loci(record: Record, genes: list[Gene], rng: np.random.Generator) -> Iterable[Row]:
    """One record for each stretch of overlapping transcripts, with up to ``FLANK_BP`` on both sides."""
    clusters: list[list[Gene]] = []
    high = -1
    for gene in genes:
        low, end = gene.transcript_span
        if low >= high:
            clusters.append([])
        clusters[-1].append(gene)
        high = max(high, end)
    for cluster in clusters:
        low = min(gene.transcript_span[0] for gene in cluster) - int(rng.integers(0, FLANK_BP + 1))
        high = max(gene.transcript_span[1] for gene in cluster) + int(rng.integers(0, FLANK_BP + 1))
        low, high = max(0, low), min(len(record), high)
        yield Record(f"{record.id}_{low + 1}", record.codes[low:high]), [gene.shifted(-low) for gene in cluster]


def no_mask(record: Record, genes: list[Gene]) -> list[tuple[int, int]]:
    return []


def flanks(record: Record, genes: list[Gene]) -> list[tuple[int, int]]:
    """What is more than ``FLANK_BP`` away from the genes of a locus: its neighbours are not labelled."""
    low = min((gene.transcript_span[0] for gene in genes), default=len(record)) - FLANK_BP
    high = max((gene.transcript_span[1] for gene in genes), default=len(record)) + FLANK_BP
    return [(start, end) for start, end in ((0, low), (high, len(record))) if start < end]


def hidden_stretches(record: Record, genes: list[Gene]) -> list[tuple[int, int]]:
    """Stretches between genes that hold a run of N: genes over repeats were taken away together with their bases."""
    spans = sorted(gene.transcript_span for gene in genes)
    ends, found = [0, *np.maximum.accumulate([end for _, end in spans]).tolist()], []
    for low, high in zip(ends, [*(start for start, _ in spans), len(record)], strict=True):
        unknown = np.concatenate([[False], record.codes[low : max(low, high)] >= UNKNOWN, [False]])
        edges = np.flatnonzero(np.diff(unknown.astype(np.int8))).reshape(-1, 2)
        if len(edges) and (edges[:, 1] - edges[:, 0]).max() >= RUN_OF_N:
            found.append((low, high))
    return found


def divide_regions(index: Path) -> Callable[[list[Row]], Parts]:
    """Regions around clusters, by genus."""
    with gzip.open(index, "rt") as file:
        species = {row["seqid"]: row["species"] for row in csv.DictReader(file, delimiter="\t")}
    genera = sorted({genus(name) for name in species.values() if not reads_ctg_as_serine(name)} - set(LARGE_GENERA))

    def divide(rows: list[Row]) -> Parts:
        rows = [row for row in rows if species[row[0].id] not in TEST_SPECIES]
        rows = [row for row in rows if not reads_ctg_as_serine(species[row[0].id])]
        testing = set(genera[4::5])
        validating = {name for i, name in enumerate(name for name in genera if name not in testing) if i % 10 == 9}
        parts: Parts = {"train": [], "validation": [], "test": []}
        for row in rows:
            name = genus(species[row[0].id])
            parts["test" if name in testing else "validation" if name in validating else "train"].append(row)
        parts["test"] = in_turn(parts["test"], species, TEST_BP)
        parts["validation"] = in_turn(parts["validation"], species, VALIDATION_BP)
        return parts

    return divide


def genus(species: str) -> str:
    return species.replace("[", "").replace("]", "").split()[0]


def reads_ctg_as_serine(species: str) -> bool:
    return genus(species) in CODE_12 and species != NOT_CODE_12


def in_turn(rows: list[Row], species: dict[str, str], n_bp: int) -> list[Row]:
    """The first region of every species, then the second, until there are ``n_bp``."""
    seen: Counter[str] = Counter()
    rank = []
    for i, (record, _) in enumerate(rows):
        rank.append((seen[species[record.id]], i))
        seen[species[record.id]] += 1
    chosen, total = [], 0
    for _, i in sorted(rank):
        if total < n_bp:
            chosen.append(rows[i])
            total += len(rows[i][0])
    return chosen


def fungi(data: Path) -> dict[str, Set]:
    """Sets by name."""
    one, two = "more/genomes_eukaryote/", "more2/genomes_eukaryote/"
    index = data / INDEX
    plain, gff3 = (".fa.gz", ".gff3.gz"), (".fasta.gz", ".gff3.gz")
    return {
        "yeast": Set(f"{one}Saccharomyces_cerevisiae_S288C_II_to_XIII", plain, by_name(YEAST_TEST, YEAST_VALIDATION),
                     hidden_stretches),
        "komagataella": Set(f"{one}Komagataella_phaffii_GS115", gff3, by_name(KOMAGATAELLA_TEST), no_mask),
        "regions_refseq": Set(f"{two}fungi_ICS_regions_refseq", plain, divide_regions(index), no_mask),
        "regions_insdc": Set(f"{two}fungi_ICS_regions_insdc", plain, divide_regions(index), no_mask),
        "pombe": Set(f"{two}Schizosaccharomyces_pombe_200_loci", plain, every_fifth_gene, no_mask),
        "terreus": Set(f"{two}Aspergillus_terreus_NIH2624_8_BGCs", plain, as_test, no_mask),
        "verticillioides": Set(f"{two}Fusarium_verticillioides_7600_cluster", plain, as_test, no_mask),
    }  # fmt: skip


def others(data: Path) -> dict[str, Set]:
    """Sets of other clades by name."""
    one, two, plain = "more/genomes_eukaryote/", "more2/genomes_eukaryote/", (".fa.gz", ".gff3.gz")
    flat, fasta = (".gb.gz", ".gb.gz"), (".fasta.gz", ".gff3.gz")
    ends = {"honeybee": "Apis_mellifera_Amel4.5_3scaffolds", "sawfly": "Neodiprion_lecontei_LGIB01000001",
            "human_9": "Homo_sapiens_GRCh38_chr9_first_Mb", "human_6_29": "Homo_sapiens_Ensembl_chr6_29Mb",
            "human_6_31": "Homo_sapiens_Ensembl_GRCh37_chr6_31Mb", "mouse": "Mus_musculus_Ensembl_GRCm38_chr17_35Mb",
            "schistosoma": "Schistosoma_mansoni_V10_chr3_500kb"}  # fmt: skip
    loci = {"tauri": "Ostreococcus_tauri_chr2_loci", "lucimarinus": "Ostreococcus_lucimarinus_chr19_loci",
            "micromonas": "Micromonas_RCC299_chr17_loci", "plants": "Plant_MIBiG_cluster_gene_loci"}  # fmt: skip
    slices = ("genome_1pct_a_thaliana/A.thaliana.1pct", "genome_1pct_c_elegans/C.elegans.1pct")
    return {
        "poplar": Set(f"{one}Populus_trichocarpa_Chr01_11Mb", plain, end_tests(0.24), no_mask),
        "cress": Set(slices[0], (".fa.gz", ".gff.gz"), by_name(("Chr5",), ("Chr4",)), no_mask, ("TAIR10",)),
        "worm": Set(slices[1], (".fa.gz", ".gff.gz"), as_training, no_mask, ("WormBase",)),
        "fly": Set(f"{one}Drosophila_melanogaster_524_loci_chr2R.genes", flat, every_fifth_record, flanks),
        "brucei": Set(f"{one}Trypanosoma_brucei_927_chr1", fasta, end_tests(0.2), no_mask),
        "major": Set(f"{one}Leishmania_major_chr1", fasta, as_training, no_mask),
        "braziliensis": Set(f"{one}Leishmania_braziliensis_chr1", fasta, as_training, no_mask),
        **{name: Set(two + stem, plain, end_tests(0.2), no_mask) for name, stem in ends.items()},
        **{name: Set(two + stem, plain, every_fifth_record, no_mask) for name, stem in loci.items()},
    }  # fmt: skip


FUNGI_WEIGHTS = {"yeast": 1.0, "komagataella": 1.0, "pombe": 0.2, "regions_refseq": 2.0, "regions_insdc": 3.0}
WEIGHTS = {
    "yeast": 0.7, "komagataella": 0.7, "regions_refseq": 1.2, "regions_insdc": 1.8, "pombe": 0.2, "poplar": 2.0,
    "cress": 1.0, "worm": 0.6, "fly": 1.5, "brucei": 0.3, "major": 0.1, "braziliensis": 0.1, "honeybee": 0.4,
    "sawfly": 0.4, "human_9": 0.05, "human_6_29": 0.05, "human_6_31": 0.15, "mouse": 0.15, "schistosoma": 0.1,
    "tauri": 0.2, "lucimarinus": 0.1, "micromonas": 0.1, "plants": 0.1,
}  # fmt: skip
"""Shares of the crops, of the fungi alone and of all: what has many introns gives more of them."""
MADE = {"train": 1.2, "chimeras": 1.0, "validation": 0.0}
"""Contigs of worm loci and of chimeras of thale cress, from ``intron_data.py``, and their shares."""
LEFT_OUT = ("yeast", "komagataella", "poplar", "fly")
"""Species that a model can be asked about which has seen nothing of them."""
JOINED = {"regions": ("regions_refseq", "regions_insdc")}
"""Tests that are scored together."""
YEASTS = ("Cyberlindnera", "Lachancea", "Naumovozyma")
"""Genera of the regions that test: without them, ``filamentous-test`` has genes with more introns."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    written = write_sets(args.data, args.out, fungi(args.data))
    write_table(args.out / "fungi.tsv", table_rows(written, FUNGI_WEIGHTS))
    written += write_sets(args.data, args.out, others(args.data))
    rows = list(table_rows(written, WEIGHTS))
    rows += [f"{name}.fa\t{name}.gff3\t{share}\n" for name, share in MADE.items() if (args.out / f"{name}.fa").exists()]
    write_table(args.out / "eukaryotes.tsv", rows)
    write_table(args.out / "left_out.tsv", (row for row in rows if row.split("-")[0] not in LEFT_OUT))
    for name, joined in JOINED.items():
        join_tests(args.out, name, joined)
    with gzip.open(args.data / INDEX, "rt") as file:
        yeasts = {row["seqid"] for row in csv.DictReader(file, delimiter="\t") if genus(row["species"]) in YEASTS}
    leave_out(args.out, "regions-test", "filamentous-test", yeasts)


def leave_out(out: Path, name: str, other: str, ids: set[str]) -> None:
    """A set without some of its records."""
    genes = read_annotation(out / f"{name}.gff3").by_contig()
    kept = [record for record in read_records(out / f"{name}.fa") if record.id not in ids]
    write_fasta(out / f"{other}.fa", kept)
    rows = ((record, genes.get(record.id, []), False) for record in kept)
    write_gff3(out / f"{other}.gff3", rows, genetic_code=1)


def write_table(path: Path, rows: Iterable[str]) -> None:
    path.write_text("fasta\tannotation\tweight\n" + "".join(rows))


def write_sets(data: Path, out: Path, sets: dict[str, Set]) -> list[Path]:
    return [path for name, one in sets.items() for path in write_set(data, out, name, one)]


def join_tests(out: Path, name: str, joined: tuple[str, ...]) -> None:
    """Tests of several sets as one."""
    for ending in (".fa", ".gff3"):
        texts = [(out / f"{one}-test{ending}").read_text() for one in joined]
        texts[1:] = [text.removeprefix("##gff-version 3\n") for text in texts[1:]]
        (out / f"{name}-test{ending}").write_text("".join(texts))


def table_rows(written: list[Path], weights: dict[str, float]) -> Iterator[str]:
    """Lines of the table; what validates has no weight."""
    for path in written:
        name, part = path.stem.rsplit("-", 1)
        if part != "test":
            weight = weights[name] if part == "train" else 0
            yield f"{path.name}\t{path.stem}.gff3\t{weight}\n"


def write_set(data: Path, out: Path, name: str, one: Set) -> list[Path]:
    """FASTA and GFF3 of every part; returns the FASTA files."""
    fasta, annotation = (Path(f"{data / one.stem}{ending}") for ending in one.endings)
    genes = read_annotation(annotation, sources=one.sources).by_contig()
    rows = [(record, choose_isoforms(genes.get(record.id, []))) for record in read_records(fasta)]
    written = []
    for part, chosen in one.divide(rows).items():
        if not chosen:
            continue
        masked = [(record, [*found, *as_pseudogenes(record, one.mask(record, found))]) for record, found in chosen]
        path = out / f"{name}-{part}.fa"
        write_fasta(path, [record for record, _ in chosen])
        write_gff3(path.with_suffix(".gff3"), ((record, found, False) for record, found in masked), genetic_code=1)
        written.append(path)
    return written


def as_pseudogenes(record: Record, spans: list[tuple[int, int]]) -> list[Gene]:
    return [Gene(record.id, low, high, "+", pseudo=True) for low, high in spans]


if __name__ == "__main__":
    main()
