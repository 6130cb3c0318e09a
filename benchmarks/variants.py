"""Consequences of seeded variants on the genes of an annotation, beside those of bcftools csq; one JSON.

    python benchmarks/variants.py GENOME.fa GENES.gff3 [-o docs/results/variants-ecoli.json]

Variants are drawn at random over the genome, and in start and stop codons, which are rare; of each kind of consequence
that bcftools tells, equally many are compared (``--snvs``, ``--indels`` in all). Those that both programs read by other
rules, see ``is_read_otherwise``, are counted apart; "anywhere" is a plain random sample with everything in it.
bcftools 1.24 comes with pysam, reads the genes as we write them, and looks at each row by itself (``--local-csq``).
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pysam

from genoformer.annotation.models import Annotation, Gene
from genoformer.annotation.read import read_annotation
from genoformer.annotation.seqids import match_ids
from genoformer.annotation.write_gff3 import write_gff3
from genoformer.files import write_json_atomic
from genoformer.sequence.alphabet import decode_bases, encode_bases
from genoformer.sequence.fasta import read_fasta, write_fasta
from genoformer.sequence.records import Record
from genoformer.variants.alleles import trimmed
from genoformer.variants.consequences import GeneIndex, consequence_of

Variant = tuple[str, int, str, str]
"""Contig, position (1-based), REF, ALT."""
Found = dict[str, frozenset[str]]
"""Terms by gene."""
CSQ = "import sys, pysam.bcftools as bcftools; sys.stdout.write(bcftools.csq(*sys.argv[1:]))"
MAX_INDEL_BP = 12
NOT_COMPARED = {"non_coding", "intergenic"}
N_EXAMPLES = 6
FRAME = frozenset(("frameshift", "inframe_insertion", "inframe_deletion"))
END = frozenset(("stop_retained", "stop_gained", "inframe_insertion", "inframe_deletion"))
EDGE_BP = 3
AT_ENDS = 0.4
ATG = encode_bases("ATG").tolist()


def comparable(genes: Iterable[Gene]) -> list[Gene]:
    """Genes that both programs read: one frame, whole codons, both ends there."""
    kept = (gene for gene in genes if not (gene.pseudo or gene.trans_spliced or gene.is_shifted))
    return [
        gene
        for gene in kept
        if not (gene.partial_5 or gene.partial_3 or gene.phase_offset or gene.length_bp % 3 or gene.transl_except)
    ]


def draw_variants(
    records: list[Record], genes: list[Gene], n: int, seed: int, at_ends: float = AT_ENDS
) -> list[Variant]:
    """Different variants: half of them substitutions; a share lies at the ends of genes, the others anywhere."""
    source, texts = random.Random(seed), {record.id: decode_bases(record.codes) for record in records}
    lengths = [len(record) for record in records]
    found: dict[Variant, None] = {}
    while len(found) < n:
        if source.random() < at_ends and genes:
            gene = source.choice(genes)
            contig, edge = gene.contig, source.choice((gene.start, gene.end))
            position = edge + source.randint(-6, 6)
        else:
            (record,) = source.choices(records, weights=lengths)
            contig, position = record.id, source.randrange(len(record))
        variant = draw_one(texts[contig], contig, position, source)
        if variant is not None:
            found[variant] = None
    return sorted(found, key=lambda one: (one[0], one[1]))


def draw_one(text: str, contig: str, position: int, source: random.Random) -> Variant | None:
    """A substitution, insertion or deletion behind this base; None where it does not fit."""
    kind, size = source.choice(("snv", "snv", "insertion", "deletion")), source.randint(1, MAX_INDEL_BP)
    if not 20 <= position < len(text) - 40:
        return None
    base = text[position]
    if kind == "snv":
        ref, alt = base, source.choice([letter for letter in "ACGT" if letter != base])
    elif kind == "insertion":
        ref, alt = base, base + "".join(source.choices("ACGT", k=size))
    else:
        ref, alt = text[position : position + 1 + size], base
    return (contig, position + 1, ref, alt) if set(ref) <= set("ACGT") else None


def write_rows(path: Path, records: Iterable[Record], variants: Iterable[Variant]) -> None:
    """A VCF file with a number for each variant in column ID."""
    contigs = "".join(f"##contig=<ID={record.id},length={len(record)}>\n" for record in records)
    rows = "".join(
        f"{contig}\t{place}\t{i}\t{ref}\t{alt}\t.\t.\t.\n" for i, (contig, place, ref, alt) in enumerate(variants)
    )
    path.write_text(f"##fileformat=VCFv4.2\n{contigs}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{rows}")


def by_bcftools(folder: Path, records: list[Record], genes: list[Gene], variants: list[Variant]) -> list[Found]:
    """Terms of bcftools csq, by the name of the gene; a child process, as two calls in one are refused."""
    by_contig = Annotation(genes).by_contig()
    write_fasta(folder / "genome.fa", records)
    pysam.faidx(str(folder / "genome.fa"))
    write_gff3(folder / "genes.gff3", [(record, by_contig.get(record.id, []), False) for record in records])
    write_rows(folder / "rows.vcf", records, variants)
    files = ["-f", "genome.fa", "-g", "genes.gff3", "rows.vcf"]
    command = [sys.executable, "-c", CSQ, "--local-csq", *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    found: list[Found] = [{} for _ in variants]
    for line in done.stdout.splitlines():
        if not line.startswith("#"):
            columns = line.split("\t")
            info = dict(item.partition("=")[::2] for item in columns[7].split(";"))
            found[int(columns[2])] = terms_by_gene(info.get("BCSQ", ""))
    return found


def terms_by_gene(text: str) -> Found:
    """Terms of an INFO field of csq."""
    terms: dict[str, set[str]] = defaultdict(set)
    for entry in filter(None, text.split(",")):
        words = entry.split("|")
        terms[words[1]] |= set(words[0].split("&")) - NOT_COMPARED
    return {gene: frozenset(found) for gene, found in terms.items() if found}


def by_us(records: list[Record], genes: list[Gene], variants: list[Variant], code: int) -> list[Found]:
    """Terms of ours, by the same names."""
    by_contig, indices = Annotation(genes).by_contig(), {}
    for record in records:
        indices[record.id] = GeneIndex(by_contig.get(record.id, []), record.codes, code)
    found = []
    for contig, place, ref, alt in variants:
        terms: dict[str, set[str]] = defaultdict(set)
        for one in indices[contig].consequences(trimmed(place - 1, ref, alt)):
            terms[one.gene] |= set(one.terms)
        found.append({gene: frozenset(names) for gene, names in terms.items()})
    return found


def main_words(found: Found) -> Found:
    """Without words that the others make idle: where a frame leads whose start or stop is lost, or which is shifted."""
    return {gene: main_terms(terms) for gene, terms in found.items()}


def main_terms(terms: frozenset[str]) -> frozenset[str]:
    """As ``main_words``, for one gene."""
    for grave, idle in (("start_lost", terms), ("stop_lost", FRAME), ("frameshift", END), ("stop_retained", FRAME)):
        if grave in terms:
            terms = terms - idle | {grave}
    return terms


def stratum(variant: Variant, found: Found) -> str:
    """Of a variant: what bcftools says of it."""
    kind = "snv" if len(variant[2]) == len(variant[3]) else "indel"
    words = sorted({"&".join(sorted(terms)) for terms in main_words(found).values()})
    return f"{kind} {words[0] if len(words) == 1 else 'several genes'}"


def is_read_otherwise(variant: Variant, genes: GeneIndex) -> bool:
    """Whether the two programs have different rules for the place, so that they do not speak of the same thing.

    bcftools knows no start codon but ATG. Where an indel touches the ends of a gene it goes by places, which differ
    between the strands, and not by the sequence that comes out: an indel that leaves the start codon as it was, one
    right before the stop codon, one that reaches over the end of a gene.
    """
    _, place, ref, alt = variant
    change, is_indel = trimmed(place - 1, ref, alt), len(ref) != len(alt)
    for coding, turn in genes.around(change.start - EDGE_BP, change.end + EDGE_BP):
        moved = change.shifted(turn)
        found = consequence_of(moved, coding)
        loses_start = found is not None and "start_lost" in found.terms
        if loses_start and coding.bases[:3].tolist() != ATG:
            return True
        low, high = moved.start, moved.end
        start, end = (coding.low, coding.high) if coding.gene.strand == "+" else (coding.high, coding.low)
        is_near_start = min(abs(low - start), abs(high - start)) <= EDGE_BP
        is_before_stop = moved.is_insertion and abs(low - end) == EDGE_BP
        reaches_over = low < coding.low < high or low < coding.high < high
        is_beside = found is None or (is_near_start and not loses_start)
        if is_indel and (reaches_over or is_before_stop or is_beside):
            return True
    return False


def compare(variants: list[Variant], theirs: list[Found], ours: list[Found], chosen: list[int]) -> dict[str, Any]:
    """Shares of variants of which both say the same, by what bcftools says."""
    n, same, exact, examples = Counter(), Counter(), 0, defaultdict(list)
    for i in chosen:
        name = stratum(variants[i], theirs[i])
        n[name] += 1
        is_same = main_words(theirs[i]) == main_words(ours[i])
        same[name] += is_same
        exact += theirs[i] == ours[i]
        if not is_same and len(examples[name]) < N_EXAMPLES:
            sides = [{gene: sorted(terms) for gene, terms in one.items()} for one in (theirs[i], ours[i])]
            examples[name].append({"variant": list(variants[i]), "bcftools": sides[0], "genoformer": sides[1]})
    table = {name: {"n": n[name], "same": same[name], "share": round(same[name] / n[name], 4)} for name in sorted(n)}
    total = max(sum(n.values()), 1)
    shares = {"share": round(sum(same.values()) / total, 5), "share_of_all_words": round(exact / total, 5)}
    return {"n": sum(n.values()), **shares, "by_consequence": table, "examples": dict(examples)}


def balanced(variants: list[Variant], theirs: list[Found], kind: str, wanted: int, among: list[int]) -> list[int]:
    """Numbers of variants, equally many of each consequence where there are so many; none without any."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i in among:
        found, name = theirs[i], stratum(variants[i], theirs[i])
        if found and name.startswith(kind) and not name.endswith("several genes"):
            groups[name].append(i)
    chosen: list[int] = []
    for left, group in enumerate(sorted(groups.values(), key=len), start=-len(groups)):
        share = -(-(wanted - len(chosen)) // -left)
        chosen += random.Random(0).sample(group, min(share, len(group)))
    return sorted(chosen)


def measure(records: list[Record], genes: list[Gene], code: int, *, drawn: int, snvs: int, indels: int, seed: int):
    """The comparison: balanced substitutions, balanced indels, and a plain random sample."""
    genes = [gene for gene in comparable(genes)]
    for number, gene in enumerate(genes):
        gene.id = gene.locus_tag = ""
        gene.name = f"g{number:05d}"
    variants = draw_variants(records, genes, drawn, seed)
    anywhere = draw_variants(records, genes, drawn // 5, seed + 1, at_ends=0.0)
    with tempfile.TemporaryDirectory() as folder:
        theirs = by_bcftools(Path(folder), records, genes, variants)
        theirs_anywhere = by_bcftools(Path(folder), records, genes, anywhere)
    ours = by_us(records, genes, variants, code)
    ours_anywhere = by_us(records, genes, anywhere, code)
    spoken = [i for i in range(len(variants)) if theirs[i] or ours[i]]
    index = {
        record.id: GeneIndex([g for g in genes if g.contig == record.id], record.codes, code) for record in records
    }
    apart = {i for i in spoken if is_read_otherwise(variants[i], index[variants[i][0]])}
    plain = [i for i in spoken if i not in apart]
    results = {
        "snvs": compare(variants, theirs, ours, balanced(variants, theirs, "snv", snvs, plain)),
        "indels": compare(variants, theirs, ours, balanced(variants, theirs, "indel", indels, plain)),
        "all_others": compare(variants, theirs, ours, plain),
        "read_otherwise": compare(variants, theirs, ours, sorted(apart)),
        "anywhere": compare(
            anywhere,
            theirs_anywhere,
            ours_anywhere,
            [i for i in range(len(anywhere)) if theirs_anywhere[i] or ours_anywhere[i]],
        ),
    }
    return {"genes": len(genes), "drawn": len(variants), "seed": seed, "bcftools": "1.24 (pysam)", **results}


def main() -> None:
    """Measure, print shares, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fasta", type=Path)
    parser.add_argument("annotation", type=Path)
    parser.add_argument("--genetic-code", type=int, default=11)
    parser.add_argument("--drawn", type=int, default=150_000)
    parser.add_argument("--snvs", type=int, default=12_000)
    parser.add_argument("--indels", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--out", type=Path)
    args = parser.parse_args()
    records, annotation = list(read_fasta(args.fasta)), read_annotation(args.annotation)
    names = match_ids([record.id for record in records], annotation.contigs)
    genes = [gene for gene in annotation.genes if gene.contig in names]
    for gene in genes:
        gene.contig = names[gene.contig]
    counts = {"drawn": args.drawn, "snvs": args.snvs, "indels": args.indels, "seed": args.seed}
    found = measure(records, genes, args.genetic_code, **counts)
    for name in ("snvs", "indels", "all_others", "read_otherwise", "anywhere"):
        print(name, found[name]["n"], found[name]["share"], found[name]["share_of_all_words"])
        for words, row in found[name]["by_consequence"].items():
            print(f"  {row['share']:.4f} {row['n']:6d} {words}")
    if args.out:
        write_json_atomic(args.out, found)


if __name__ == "__main__":
    main()
