"""What each part of the decoder gives on a genome unlike the one that the network was trained on.

Two genomes, both ways: the network of A reads B; the decoder is fitted to what the network of B reads in A (as it is,
or with recoded copies of A). Networks and passes are those of leave_one_out.py, whose runs under runs/ are used.

    python benchmarks/ablation.py --genome ecoli=A.gbk --genome mycoplasma=B.gbk [-o docs/results/ablation-inner.json]
"""

import argparse
from dataclasses import replace
from pathlib import Path

from gene_finding import Genome, pyrodigal_genes, read_genome
from leave_one_out import LeaveOneOut

from genoformer.annotation.models import Gene
from genoformer.applications.genes.calibrate import fit_decoder
from genoformer.applications.genes.held import Held
from genoformer.decoding.caller import call_genes, genome_statistics
from genoformer.decoding.decoder import GeneDecoder, Scorer
from genoformer.files import write_json_atomic
from genoformer.nn.allocator import tune_allocator


def called(held: list[Held], decoder: GeneDecoder, genome: Genome, with_statistics: bool) -> list[Gene]:
    """Genes that a decoder finds in a pass."""
    passes = [(h.codes, h.candidates) for h in held]
    statistics = genome_statistics(lambda: passes, decoder, held[0].options) if with_statistics else None
    return [
        gene
        for record, h in zip(genome.records, held, strict=True)
        for gene in call_genes(record.id, h.codes, h.candidates, decoder, h.options, statistics)
    ]


def one_look(decoder: GeneDecoder) -> GeneDecoder:
    """The same decoder, judging each frame by itself."""

    def first(scorer: Scorer) -> Scorer:
        return replace(scorer, weights=replace(scorer.weights, second=None))

    return replace(decoder, plain=first(decoder.plain), adapted=decoder.adapted and first(decoder.adapted))


def steps(runs: LeaveOneOut, a: str, b: str) -> dict[str, dict]:
    """Scores on genome ``b`` of the network of ``a``, part after part."""
    genome, read = read_genome(runs.genomes[b]), runs.held((a,), b)
    read = [h for h in read if h.natural]
    fitted_to = runs.held((b,), a)
    decoder = fit_decoder([h for h in fitted_to if h.natural])
    full = fit_decoder(fitted_to)
    genes = {
        "network": called(read, one_look(decoder), genome, False),
        "+ statistics of the genome": called(read, one_look(decoder), genome, True),
        "+ a second look": called(read, decoder, genome, True),
        "+ decoder fitted on recoded copies": called(read, full, genome, True),
        "all, without statistics": called(read, full, genome, False),
        "pyrodigal": pyrodigal_genes(genome, False),
    }
    return {name: genome.score(found) for name, found in genes.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--genome", action="append", required=True, help="NAME=FILE, twice")
    parser.add_argument("--inner-steps", type=int, default=600)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results/ablation-inner.json"))
    args = parser.parse_args()
    genomes = dict(item.split("=", 1) for item in args.genome)
    a, b = genomes
    tune_allocator()
    runs = LeaveOneOut(genomes, steps=0, inner_steps=args.inner_steps, fit_options=[])
    result = {f"{x} to {y}": steps(runs, x, y) for x, y in ((a, b), (b, a))}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out, {"inner_steps": args.inner_steps, "seed": 0, "scores": result})


if __name__ == "__main__":
    main()
