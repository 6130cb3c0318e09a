#!/usr/bin/env bash
# bcftools 1.24 (in pysam 0.24.1 from PyPI): what `csq --local-csq` says of an insertion depends on the strand of the gene.
#
# Expected: a gene on "+" and the same gene on "-" (the contig and the rows of the VCF reversed and complemented) have the same
# consequence. Seen: three bases inserted right behind the start codon are inframe_insertion&start_lost on "+", where the
# amino acids that stand beside it keep the M ("1M>1MA"), and inframe_insertion alone on "-"; three bases inserted right before
# the stop codon are inframe_insertion on "+" and inframe_insertion&stop_retained on "-". A deletion of the second codon is
# alike on both. The row names the base left of the insertion, which is one of the codon on one strand and not on the other.
# genoformer compares the sequences: neither codon is touched. Fails if this changes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet pysam==0.24.1 2>/dev/null

cat >run.py <<'PYTHON'
import random

import pysam
import pysam.bcftools

random.seed(1)


def reverse_complement(bases):
    return bases.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def draw(n):
    return "".join(random.choice("ACGT") for _ in range(n))


codons = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT" if a + b + c not in ("TAA", "TAG", "TGA")]
gene = "ATG" + "".join(random.choice(codons) for _ in range(60)) + "TAA"
flank = 60
contigs = {"+": draw(flank) + gene + draw(flank)}
contigs["-"] = reverse_complement(contigs["+"])
names, length = {"+": "forward", "-": "reverse"}, len(contigs["+"])
places = {
    "inserted_behind_start": (flank + 3, 0, "GCC"), "inserted_before_stop": (flank + len(gene) - 3, 0, "GCC"),
    "second_codon_deleted": (flank + 3, 3, ""),
}

gff3, rows = ["##gff-version 3"], []
for strand, bases in contigs.items():
    name = names[strand]
    span = f"{name}\tx\t{{}}\t{flank + 1}\t{flank + len(gene)}\t.\t{strand}\t{{}}\t{{}}"
    gff3 += [
        span.format("gene", ".", f"ID=gene:{name};biotype=protein_coding"),
        span.format("mRNA", ".", f"ID=transcript:{name};Parent=gene:{name};biotype=protein_coding"),
        span.format("exon", ".", f"Parent=transcript:{name}"),
        span.format("CDS", "0", f"ID=CDS:{name};Parent=transcript:{name}"),
    ]
    for what, (start, n_deleted, inserted) in places.items():
        if strand == "-":
            start, inserted = length - start - n_deleted, reverse_complement(inserted)
        left = bases[start - 1]
        rows.append((strand, start, what, left + bases[start : start + n_deleted], left + inserted))

with open("genome.fa", "w") as file:
    file.writelines(f">{names[strand]}\n{bases}\n" for strand, bases in contigs.items())
with open("genes.gff3", "w") as file:
    file.write("\n".join(gff3) + "\n")
with open("calls.vcf", "w") as file:
    file.write("##fileformat=VCFv4.2\n")
    file.writelines(f"##contig=<ID={name},length={length}>\n" for name in names.values())
    file.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    for strand, at, what, ref, alt in sorted(rows):
        file.write(f"{names[strand]}\t{at}\t{what}\t{ref}\t{alt}\t.\t.\t.\n")

pysam.faidx("genome.fa")
said = pysam.bcftools.csq("--local-csq", "-f", "genome.fa", "-g", "genes.gff3", "calls.vcf")
found = {}
for line in said.splitlines():
    if not line.startswith("#"):
        contig, _, what, *_, info = line.split("\t")
        consequence, *_, amino_acids, _ = info.removeprefix("BCSQ=").split("|")
        found[what, contig] = consequence
        print(f"{what:22} {contig:8} {consequence:32} {amino_acids}")
assert found == {
    ("inserted_behind_start", "forward"): "inframe_insertion&start_lost",
    ("inserted_behind_start", "reverse"): "inframe_insertion",
    ("inserted_before_stop", "forward"): "inframe_insertion",
    ("inserted_before_stop", "reverse"): "inframe_insertion&stop_retained",
    ("second_codon_deleted", "forward"): "inframe_deletion",
    ("second_codon_deleted", "reverse"): "inframe_deletion",
}, found
PYTHON
venv/bin/python run.py
echo "as described: insertions at the ends of a gene have other consequences on the other strand"
