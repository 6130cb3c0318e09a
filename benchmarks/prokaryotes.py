"""Bacteria, archaea and phages of groups that nothing was learned from, beside pyrodigal; and the decoder that ships.

Each group is read by a network that has not seen it: those of the folds of a run (``--run``), or one network for all,
whose own genomes take no part (``--model``, ``--seen``). For each group the decoder is fitted on the genomes of the
other groups, and scored on those of the group; pyrodigal trains itself on each genome (on phages: its ready-made
models). Phages go out in families of the table: decoders know those of the other families, and so do the networks of a
run that has a fold for each; those of a run with one fold for all phages have seen none.
Predictions of which more than half lies in masked genes of the reference are not judged, for both alike.

    python benchmarks/prokaryote_data.py DATA tables
    genoformer fit --config gene_structure_prokaryotes --data.genomes tables/prokaryotes.tsv --name prokaryotes
    python benchmarks/prokaryotes.py tables/prokaryotes.tsv --run runs/prokaryotes --passes passes \
        -o docs/results/prokaryotes-folds.json

Of each genome the first ``--bases`` are read, and decoders are fitted to the first ``--fitted-bases``. ``--passes``
keeps what the networks say of each and the decoders, so that the command may be repeated, and
``prokaryote_fragments.py`` reads pieces of the same genomes with them. With ``--run`` the networks that read the other
groups have seen the group that is left out: the decoder has learned from what they say of strange genomes, not from its
genes.
"""

import argparse
import json
import sys
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyrodigal
from prokaryote_passes import Passes

from genoformer.applications.genes.calibrate import fit_decoder
from genoformer.applications.genes.held import Held
from genoformer.bundle.header import read_header
from genoformer.decoding.caller import genome_statistics, record_stop_rate
from genoformer.decoding.decoder import GeneDecoder, Scored
from genoformer.decoding.familiarity import LONG_GENE_BP
from genoformer.decoding.fit import frame_of_gene, mostly_masked
from genoformer.files import write_json_atomic
from genoformer.genomes.genome_table import TableGenome, read_genome_table
from genoformer.metrics.bases import precision_recall_f1
from genoformer.metrics.calibration import ece
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.alphabet import decode_bases
from genoformer.training.run_folder import FOLDS, RunFolder

PHAGES = "phages"
NEAR_COPIES = ("GCF_000306885", "GCF_001439985", "GCF_014771645", "GCF_016584425", "GCF_001274515", "GCF_000970205")
"""Wolbachia, Carsonella and Methanosarcina again: of near copies one takes part."""
NOT_JUDGED = ("MH051335", "MK373776")
"""Phages whose annotation is Prodigal's, as each of their genes says: they are shown and take part in no mean."""
PLASMIDS = "NC_0099"
"""Of one cell: together they count as one genome in every mean."""
SHORT_BP, SHORT_OFFSETS = 150, tuple(float(offset) for offset in np.arange(-2, 6.01, 0.25))
"""Genes below this length, and what is added to their log-odds to find more of them: recall is compared where as many
predictions of such genes are right as pyrodigal's."""


@dataclass
class Tally:
    """Counts of one program on one genome; ``+`` adds records.

    Attributes:
        right: Predicted genes with a right 3′ end.
        exact: Those with the right start as well.
        predicted: Predicted genes that are judged.
        reference: Genes of the reference.
        short_right: Right 3′ ends of genes below ``SHORT_BP``.
        short: Genes of the reference below ``SHORT_BP``.
        short_curve: For each of ``SHORT_OFFSETS``, see ``short_counts``, int64 [n, 3].
        gene_sure: Confidence of each predicted gene that is judged, and whether its 3′ end is right.
        start_sure: The same of the starts of those whose 3′ end is right.
        evidence: Evidence of codons of long genes, see ``decoding.familiarity``.
    """

    right: int = 0
    exact: int = 0
    predicted: int = 0
    reference: int = 0
    short_right: int = 0
    short: int = 0
    short_curve: np.ndarray = field(default_factory=lambda: np.zeros((len(SHORT_OFFSETS), 3), np.int64))
    gene_sure: list[tuple[float, bool]] = field(default_factory=list)
    start_sure: list[tuple[float, bool]] = field(default_factory=list)
    evidence: list[float] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))

    def scores(self) -> dict[str, float]:
        """F1 of 3′ ends and of whole genes, precision and recall of 3′ ends, recall of short genes."""
        ends = precision_recall_f1(self.right, self.predicted, self.reference)
        return {
            **ends,
            "exact_f1": precision_recall_f1(self.exact, self.predicted, self.reference)["f1"],
            "short_recall": self.short_right / max(self.short, 1),
            "n_genes": self.reference,
            "n_short": self.short,
            "short_curve": self.short_curve.tolist(),
            **({"gene_ece": _ece(self.gene_sure), "start_ece": _ece(self.start_sure)} if self.gene_sure else {}),
            **({"codon_evidence": float(np.median(self.evidence))} if self.evidence else {}),
        }


def _ece(said: list[tuple[float, bool]]) -> float:
    return ece(*np.array(said, np.float64).reshape(-1, 2).T)


def tally(genes: np.ndarray, table: np.ndarray, sure: tuple[np.ndarray, np.ndarray] | None = None) -> Tally:
    """Judge genes of one record.

    Args:
        genes: Fields start, end and strand.
        table: Gene table of the record.
        sure: Confidence of each gene and of its start.
    """
    real = table[~table["masked"]]
    lengths = real["end"] - real["start"]
    known = dict(zip(_frames(real), zip(_starts(real), lengths, strict=True), strict=True))
    found = dict(zip(_frames(genes), _starts(genes), strict=True))
    right = [frame for frame in found if frame in known]
    frames, starts = _frames(genes), _starts(genes)
    ignored = mostly_masked(genes, table[table["masked"]]) & ~np.isin(frames, right)
    judged = np.flatnonzero(~ignored).tolist()
    gene_sure, start_sure = [], []
    if sure is not None:
        gene_sure = [(float(sure[0][row]), frames[row] in known) for row in judged]
        ends = [row for row in judged if frames[row] in known]
        start_sure = [(float(sure[1][row]), starts[row] == known[frames[row]][0]) for row in ends]
    return Tally(
        gene_sure=gene_sure,
        start_sure=start_sure,
        right=len(right),
        exact=sum(found[frame] == known[frame][0] for frame in right),
        predicted=len(genes) - int(ignored.sum()),
        reference=len(real),
        short_right=sum(known[frame][1] < SHORT_BP for frame in right),
        short=int((lengths < SHORT_BP).sum()),
    )


def _frames(rows: np.ndarray) -> list[int]:
    return frame_of_gene(rows["start"], rows["end"], rows["strand"]).tolist()


def _starts(rows: np.ndarray) -> list[int]:
    return np.where(rows["strand"] > 0, rows["start"], rows["end"]).tolist()


def our_genes(held: list[Held], decoder: GeneDecoder) -> Tally:
    """Genes of one genome by the decoder, with statistics of the genome."""
    learned = genome_statistics(lambda: ((h.codes, h.candidates) for h in held), decoder, held[0].options)
    total = Tally()
    for h in held:
        scored, chosen = decoder.choose(h.codes, h.candidates, record_stop_rate(h.codes, h.options), learned)
        scorer, rows = decoder.scorer(learned), h.candidates[chosen]
        gene_sure = scorer.gene_confidence.apply(scored.frame_odds[chosen])
        total += tally(rows, h.inside[0].genes, (gene_sure, scorer.start_confidence.apply(scored.start_share[chosen])))
        total.short_curve += short_curve(h, decoder, scored)
        is_long = rows["end"] - rows["start"] >= LONG_GENE_BP
        total.evidence += (rows["codon_sum"] / np.maximum(rows["n_codons"], 1))[is_long].tolist()
    return total


def short_curve(h: Held, decoder: GeneDecoder, scored: Scored) -> np.ndarray:
    """``short_counts`` of what is chosen with each of ``SHORT_OFFSETS``."""
    rows = h.candidates
    is_short = rows["end"] - rows["start"] < SHORT_BP
    chosen = (decoder.select(rows, replace(scored, score=scored.score + by * is_short)) for by in SHORT_OFFSETS)
    return np.array([short_counts(rows[own], h.inside[0].genes) for own in chosen], np.int64)


def short_counts(genes: np.ndarray, table: np.ndarray) -> tuple[int, int, int]:
    """Short genes of the reference that were found; short predictions that are right, and that are judged."""
    short = tally(genes[genes["end"] - genes["start"] < SHORT_BP], table)
    return tally(genes, table).short_right, short.right, short.predicted


def pyrodigal_genes(held: list[Held], *, meta: bool) -> Tally:
    """Genes of one genome by pyrodigal, trained on its longest record, or by its ready-made models."""
    finder, sequences = pyrodigal.GeneFinder(meta=meta), [decode_bases(h.codes) for h in held]
    if not meta:
        finder.train(max(sequences, key=len), translation_table=held[0].options.genetic_code)
    total = Tally()
    for h, sequence in zip(held, sequences, strict=True):
        rows = [(gene.begin - 1, gene.end, gene.strand) for gene in finder.find_genes(sequence)]
        genes = np.array(rows, np.dtype([("start", "i8"), ("end", "i8"), ("strand", "i8")]))
        own = tally(genes, h.inside[0].genes)
        own.short_curve += np.array(short_counts(genes, h.inside[0].genes))
        total += own
    return total


class Groups:
    """Genomes by the group that they are left out with.

    Args:
        genomes: Names of the genomes of each group.
        passes: What the network says of them.
        fitted_bases: Of each genome, at most, that decoders are fitted to.
    """

    def __init__(self, genomes: dict[str, list[str]], passes: Passes, fitted_bases: int) -> None:
        self.genomes, self.passes, self.fitted_bases = genomes, passes, fitted_bases

    def decoder(self, name: str, without: list[str]) -> GeneDecoder:
        """Fitted on all genomes but some; kept under a name."""
        path = decoder_file(self.passes.folder, name)
        if not path.exists():
            fitted = [name for names in self.genomes.values() for name in names if name not in without]
            decoder = fit_decoder(self.passes.fitted(fitted, self.fitted_bases))
            write_json_atomic(path, decoder.to_dict())
        return GeneDecoder.from_dict(json.loads(path.read_text()))

    def scores(self, group: str) -> dict[str, dict]:
        """Of each genome of a group, by a decoder that has seen none of them, and by pyrodigal."""
        families: dict[str, list[str]] = {}
        for name in self.genomes[group]:
            families.setdefault(self.passes.rows[name].left_out_with or "", []).append(name)
        found = {}
        for family, names in families.items():
            found |= self._scores_of(group, family, names)
        return found

    def _scores_of(self, group: str, family: str, names: list[str]) -> dict[str, dict]:
        decoder, found = self.decoder(family, names), {}
        for name in names:
            held = self.passes.of(name)
            theirs = pyrodigal_genes(held, meta=group == PHAGES)
            found[name] = {
                "group": group,
                "genoformer": our_genes(held, decoder).scores(),
                "pyrodigal": theirs.scores(),
            }
        return found


def decoder_file(folder: Path, family: str) -> Path:
    """Where the decoder is kept that has not seen a group, or a family of one."""
    return folder / f"decoder-{family}.json"


def means(
    scores: dict[str, dict], programs: tuple[str, ...] = ("genoformer", "pyrodigal")
) -> dict[str, dict[str, dict[str, float]]]:
    """Scores of each group, plasmids of one cell as one genome, and under "all groups" the mean of these."""
    units: dict[str, dict[str, list[dict]]] = {}
    for name, row in judged(scores).items():
        unit = PLASMIDS if name.startswith(PLASMIDS) else name
        units.setdefault(row["group"], {}).setdefault(unit, []).append(row)
    found = {}
    for group, genomes in units.items():
        found[group] = _mean([_mean(rows, programs) for rows in genomes.values()], programs)
    found["all groups"] = _mean(list(found.values()), programs)
    return found


def judged(scores: dict[str, dict]) -> dict[str, dict]:
    """Without ``NOT_JUDGED``."""
    return {name: row for name, row in scores.items() if not name.startswith(NOT_JUDGED)}


def short_genes(scores: dict[str, dict]) -> dict[str, float]:
    """Recall of short genes of all genomes together where our short predictions are as often right as pyrodigal's."""
    rows = list(judged(scores).values())
    n_short = sum(row["pyrodigal"]["n_short"] for row in rows)
    ours, theirs = (
        np.sum([row[program]["short_curve"] for row in rows], axis=0) for program in ("genoformer", "pyrodigal")
    )
    precision = theirs[0, 1] / max(theirs[0, 2], 1)
    as_right = np.flatnonzero(ours[:, 1] >= precision * ours[:, 2])
    at = int(as_right.max()) if len(as_right) else 0
    return {
        "n_genes": n_short,
        "pyrodigal_precision": float(precision),
        "pyrodigal_recall": float(theirs[0, 0] / max(n_short, 1)),
        "genoformer_precision": float(ours[at, 1] / max(ours[at, 2], 1)),
        "genoformer_recall": float(ours[at, 0] / max(n_short, 1)),
        "genoformer_offset": SHORT_OFFSETS[at],
    }


def _mean(rows: list[dict], programs: tuple[str, ...]) -> dict[str, dict[str, float]]:
    return {
        program: {name: float(np.mean([row[program][name] for row in rows])) for name in ("f1", "exact_f1")}
        for program in programs
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    networks = parser.add_mutually_exclusive_group(required=True)
    networks.add_argument("--run", type=Path, help="folder of a run whose folds left the groups out")
    networks.add_argument("--model", help="a model that reads them all")
    parser.add_argument("--seen", nargs="*", default=[], help="genomes of the table that --model was trained on")
    parser.add_argument("--groups", nargs="*", help="left out; all that take part by default")
    parser.add_argument("--without", nargs="*", default=["plastids"], help="groups that take no part")
    parser.add_argument("--bases", type=int, default=1_500_000, help="read of each genome")
    parser.add_argument("--fitted-bases", type=int, default=750_000, help="of each genome that decoders are fitted to")
    parser.add_argument("--passes", type=Path, required=True, help="folder for what the networks say")
    parser.add_argument("-o", "--out", type=Path, required=True, help="JSON file")
    args = parser.parse_args()
    tune_allocator()
    table = read_genome_table(args.table)
    if unknown := set(args.seen) - {genome.files.name for genome in table}:
        parser.error(f"the table has no {', '.join(sorted(unknown))}")
    passes = Passes(partial(model_for, args), table, args.passes, args.bases)
    genomes: dict[str, list[str]] = {}
    for genome in table:
        name = genome.files.name
        if genome.group not in args.without and name not in args.seen and not name.startswith(NEAR_COPIES):
            genomes.setdefault(genome.group or "", []).append(name)
    groups, scores = Groups(genomes, passes, args.fitted_bases), {}
    for group in args.groups or genomes:
        print(f"{group}: {len(genomes[group])} genomes", file=sys.stderr, flush=True)
        scores.update(groups.scores(group))
    read_by = {genome.left_out_with: model_for(args, genome) for genome in table if genome.group in genomes}
    digests = {family: read_header(model).digest for family, model in read_by.items()}
    short = {"all": short_genes(scores), **{g: short_genes(_of_group(scores, g)) for g in args.groups or genomes}}
    for row in scores.values():
        for program in ("genoformer", "pyrodigal"):
            row[program].pop("short_curve")
    said = {"model_digests": digests, "seen": args.seen, "bases": args.bases, "fitted_bases": args.fitted_bases}
    write_json_atomic(args.out, {**said, "means": means(scores), "short": short, "genomes": scores})


def _of_group(scores: dict[str, dict], group: str) -> dict[str, dict]:
    return {name: row for name, row in scores.items() if row["group"] == group}


def model_for(args: argparse.Namespace, genome: TableGenome) -> str | Path:
    """The model that reads a genome: the one that has not seen its family, else the one that has not seen its group."""
    if args.run is None:
        return args.model
    own = RunFolder(args.run / FOLDS / (genome.left_out_with or "")).model
    return own if own.exists() else RunFolder(args.run / FOLDS / (genome.group or "")).model


if __name__ == "__main__":
    main()
