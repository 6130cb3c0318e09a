"""Release factor 2 behind a programmed frameshift: the site, the frames on both sides of it, and the two motifs."""

import numpy as np
import pytest

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import gene_table
from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.decoding.frameshift import frameshift_genes
from genoformer.sequence.alphabet import encode_bases, reverse_complement

SPF, GGQ = "AGCCCGTTC", "GGCGGCCAG"
BEHIND = 10 + 3 + 20 * 3 + 4
"""First base behind the shift: ten bases, a start, twenty codons, and CTTT."""


def planted(before="ATG", n_before=20, site="CTTTGAC", n_behind=150, motifs=SPF + "GCA" * 40 + GGQ, stop="TAA"):
    """A sequence with the gene, and the gene as a finder sees it: from ten codons behind the shift to its stop."""
    # The site is read CTT TGA C.. before the shift, and GAC behind it.
    text = "A" * 10 + before + "GCA" * n_before + site + "GCA" * n_behind + motifs + "GCA" * 150 + stop + "A" * 10
    begin = 10 + 3 + 3 * n_before + 4
    return encode_bases(text), genes([(begin + 30, len(text) - 10, 1)])


def genes(rows):
    found = np.zeros(len(rows), CANDIDATE_DTYPE)
    for row, (start, end, strand) in zip(found, rows, strict=True):
        row["start"], row["end"], row["strand"], row["closed"] = start, end, strand, 1
    return found


def turned(codes, rows):
    flipped = genes([(len(codes) - row["end"], len(codes) - row["start"], -row["strand"]) for row in rows])
    return reverse_complement(codes), flipped


def found(codes, rows, code=11):
    return frameshift_genes(codes, rows, get_genetic_code(code)).tolist()


def test_a_long_frame_behind_a_short_one_is_found_on_both_strands():
    codes, rows = planted()
    assert found(codes, rows) == [True]
    assert found(*turned(codes, rows)) == [True]
    assert found(codes, np.concatenate((genes([(0, 30, 1), (0, 30, -1)]), rows))) == [False, False, True]


@pytest.mark.parametrize(
    "change",
    [
        {"site": "CTTTGAA"},  # no site
        {"site": "CTTTAAC"},  # a stop, but no UGA
        {"before": "GCA"},  # no start of the short frame
        {"n_before": 5},  # too near
        {"n_before": 50},  # too far
        {"before": "ATGTAA"},  # closed between its start and the UGA
        {"n_behind": 20},  # too short for the factor
        {"n_behind": 400},  # too long
        {"motifs": "AGCCCGACC" + "GCA" * 40 + GGQ},  # SPT: reads no UGA
        {"motifs": SPF + "GCA" * 40 + "GGCGCACAG"},  # GAQ: cuts nothing off
        {"motifs": GGQ + "GCA" * 40 + SPF},  # the wrong way round
    ],
)
def test_anything_that_release_factor_2_has_not_is_heeded(change):
    codes, rows = planted(**change)
    assert found(codes, rows) == [False]
    assert found(*turned(codes, rows)) == [False]


def test_other_genes_and_codes_without_this_stop_have_none():
    codes, rows = planted()
    assert found(codes, rows, code=4) == [False]
    assert found(codes, rows[:0]) == []
    assert found(codes[:0], rows[:0]) == []
    open_end = rows.copy()
    open_end["closed"] = 0
    assert found(codes, open_end) == [False]
    another_stop = rows.copy()
    another_stop["end"] -= 3
    assert found(codes, another_stop) == [False]
    long = rows.copy()
    long["start"] = 0  # its own start is before the short frame: nothing is missing
    codes = np.concatenate((encode_bases("GCA" * 60), codes))
    long["end"] += 180
    assert found(codes, long) == [False]


@pytest.mark.parametrize(
    ("path", "locus"),
    [
        ("genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gbff.gz", "prfB"),
        ("genome_haemophilus_rd/NC_000907.1.gbk.gz", "prfB"),
        ("genome_mycoplasma/mycoides_GCF_000023685.1.gbff.gz", None),
    ],
)
def test_among_all_annotated_genes_only_the_factor_is_found(path, locus, data_dir):
    annotation = read_annotation(data_dir / path)
    for record in read_records(data_dir / path):
        own = [gene for gene in annotation.by_contig()[record.id] if not (gene.partial_5 or gene.partial_3)]
        table = gene_table(record.codes, own, genetic_code=11)
        ends = ends_of(record.codes, table)
        named = [gene.name for gene in own if found_end(gene) in ends]
        assert named == ([] if locus is None else [locus])


def ends_of(codes, table):
    """Strand and 3′ end of the genes of a gene table that are found."""
    rows = genes([(row["start"], row["end"], row["strand"]) for row in table])
    # A finder starts the factor behind the shift.
    rows["start"] = np.where(rows["strand"] > 0, np.maximum(rows["start"], rows["end"] - 900), rows["start"])
    rows["end"] = np.where(rows["strand"] < 0, np.minimum(rows["end"], rows["start"] + 900), rows["end"])
    hits = rows[frameshift_genes(codes, rows, get_genetic_code(11))]
    return {(int(row["strand"]), int(row["end"] if row["strand"] > 0 else row["start"])) for row in hits}


def found_end(gene):
    return (1, gene.end) if gene.strand == "+" else (-1, gene.start)
