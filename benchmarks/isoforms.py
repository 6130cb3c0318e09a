"""Alternative transcripts of genes with introns: what they find and what they cost, by number and margin.

    python benchmarks/isoforms.py FASTA REFERENCE --set NAME --model MODEL [--region RECORD:START-END] [--source TAIR10]

The reference has all annotated transcripts. Writes ``isoforms-NAME.json``: for one transcript of each gene, and for
more within each of ``MARGINS``, the level "isoform" of ``evaluate`` (each predicted chain of coding parts against those
of all annotated transcripts) and the level "gene"; how many loci with several annotated chains have one, or two and
more, of them predicted; and seconds of decoding.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.isoforms import group_isoforms
from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation, read_records
from genoformer.applications.genes.request import read_region
from genoformer.applications.introns.caller import IntronGeneFinder
from genoformer.applications.introns.parts import genes_of_parts
from genoformer.bundle.folder import load_bundle
from genoformer.decoding.introns.stream import decode_record
from genoformer.decoding.options import CallOptions
from genoformer.files import write_json_atomic
from genoformer.metrics.introns import IntronCounts, count_intron_genes
from genoformer.nn.allocator import tune_allocator
from genoformer.sequence.records import Record
from genoformer.stream import Piece, record_logits

NUMBERS = (2, 3)
MARGINS = (2.5, 5.0, 10.0, 15.0, 20.0, 40.0)
Locus = tuple[Record, list[Gene]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--set", required=True, help="name of the set in the result")
    parser.add_argument("--source", nargs="*", default=[], help="rows of the reference that count")
    parser.add_argument("--region", help="only RECORD:START-END, 1-based, both included")
    parser.add_argument("--model", default="eukaryotes")
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/results"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    tune_allocator()
    rows = list(annotated(args))
    finder = IntronGeneFinder.from_bundle(load_bundle(args.model))
    finder = finder.following(lambda: ((record.codes, CallOptions(genetic_code=1)) for record, _ in rows))
    network = finder.bundle.model, finder.bundle.tokenizer
    outputs = [list(record_logits(*network, record.codes, finder.plan)) for record, _ in rows]

    def decoded(record: Record, pieces: list[Piece], n: int) -> list[Gene]:
        decoder, code = finder.decoder.decoder, get_genetic_code(1)
        parts = decode_record(record.codes, pieces, decoder, code, margins=True, transcripts=n, margin=max(MARGINS))
        return [gene for gene, _ in genes_of_parts(record.id, parts)]

    end = outputs[0][0][1]
    decoded(Record("", rows[0][0].codes[:end]), outputs[0][:1], 2)  # compiles
    seconds = {}
    for n in (1, *NUMBERS):
        began = time.process_time()
        genes = [decoded(record, pieces, n) for (record, _), pieces in zip(rows, outputs, strict=True)]
        seconds[n] = round(time.process_time() - began, 1)
    result = {"set": args.set, "model": Path(args.model).name, "model_digest": finder.bundle.digest}
    result |= {"n_bases": sum(len(record) for record, _ in rows), "decoding_seconds": seconds}
    asked = [(1, 0.0), *((n, margin) for n in NUMBERS for margin in MARGINS)]
    result["scores"] = [{"isoforms": n, "margin": margin, **judge(rows, genes, n, margin)} for n, margin in asked]
    args.out.mkdir(parents=True, exist_ok=True)
    write_json_atomic(args.out / f"isoforms-{args.set}.json", result)
    for row in result["scores"]:
        print(row, flush=True)


def annotated(args: argparse.Namespace) -> Iterator[Locus]:
    """Records, or a stretch of one, with every annotated transcript."""
    known, region = read_annotation(args.reference, sources=args.source).by_contig(), read_region(args.region)
    for record in read_records(args.fasta):
        genes = known.get(record.id, [])
        if region is None:
            yield record, genes
        elif record.id == region[0]:
            _, start, end = region
            spans = ((gene, *gene.transcript_span) for gene in genes)
            inside = [gene.shifted(-start) for gene, low, high in spans if start <= low and high <= end]
            yield Record(record.id, record.codes[start:end]), inside


def judge(rows: list[Locus], genes: list[list[Gene]], n: int, margin: float) -> dict:
    """Scores of at most ``n`` transcripts of each gene, none more than ``margin`` below the best."""
    counts, n_transcripts, several = IntronCounts(), 0, {"loci": 0, "any": 0, "two": 0}
    for (record, known), found in zip(rows, genes, strict=True):
        predicted = [one for gene in found for one in transcripts(gene, n, margin)]
        n_transcripts += len(predicted)
        counts += count_intron_genes(predicted, known, len(record))
        chains = {(one.strand, one.parts) for one in predicted}
        for group in group_isoforms(known):
            own = {(one.strand, one.parts) for one in group if not (one.pseudo or one.partial_5 or one.partial_3)}
            several["loci"] += len(own) > 1
            several["any"] += len(own) > 1 and bool(own & chains)
            several["two"] += len(own & chains) > 1
    scores = {level: counts.compute()[level] for level in ("isoform", "gene")}
    return {"genes": sum(map(len, genes)), "transcripts": n_transcripts, **scores, "several": several}


def transcripts(gene: Gene, n: int, margin: float) -> list[Gene]:
    """Those that count, known as of one gene."""
    others = [one for one in gene.alternatives[: n - 1] if (one.below_best or 0.0) <= margin]
    name = f"{gene.strand}{gene.start}-{gene.end}"
    return [replace(one, locus_tag=name, alternatives=()) for one in (gene, *others)]


if __name__ == "__main__":
    main()
