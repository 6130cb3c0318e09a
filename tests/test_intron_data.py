"""The data that genes with introns are trained, validated and tested on: no sequence is in two parts."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
from intron_data import (
    DIVIDED,
    DIVIDED_RECORDS,
    PIECE_BP,
    SLICES,
    TEMPLATES,
    divide,
    held_out,
    make_chimeras,
    of_records,
    read_loci,
    read_pieces,
    read_slice,
    rows_between,
    separate,
)

from genoformer.annotation.gene_sequence import translate_gene
from genoformer.annotation.read import read_annotation
from genoformer.sequence.alphabet import decode_bases, reverse_complement
from genoformer.sequence.fasta import read_fasta

SHARED_BP = 60


@pytest.fixture(scope="module")
def slices(data_dir):
    return {name: read_slice(data_dir / path, source) for name, (path, source) in SLICES.items()}


@pytest.fixture(scope="module")
def loci(data_dir, slices):
    lengths = {record.id: len(record) for record, _ in slices["worm"]}
    return read_loci(data_dir / "genome_smallgenes_celegans", lengths)


def stretches(sequences, length_bp=SHARED_BP):
    """Every stretch of ``length_bp`` bases of either strand, as text."""
    found = set()
    for codes in sequences:
        for strand in (codes, reverse_complement(codes)):
            text = decode_bases(strand)
            found |= {text[i : i + length_bp] for i in range(len(text) - length_bp + 1)}
    return found


def test_parts_share_no_stretch_with_each_other_and_held_out_ones_none_with_the_slices(loci, slices):
    parts, _ = separate(loci, [record.codes for rows in slices.values() for record, _ in rows])
    assert {part: len(found) for part, found in parts.items()} == {"train": 478, "validation": 162, "test": 128}
    held_out = {part: stretches(locus.codes for locus in parts[part]) for part in ("validation", "test")}
    assert not held_out["validation"] & held_out["test"]
    both = held_out["validation"] | held_out["test"]
    trained_on = [locus.codes for locus in parts["train"]]
    trained_on += [record.codes for rows in slices.values() for record, _ in rows]
    for text in map(decode_bases, trained_on):
        assert not any(text[i : i + SHARED_BP] in both for i in range(len(text) - SHARED_BP + 1))


def test_every_gene_of_the_loci_translates(loci):
    proteins = [translate_gene(locus.codes, locus.gene, 1) for found in loci.values() for locus in found]
    assert len(proteins) == 770
    assert all(protein[0] == "M" and protein.index("*") == len(protein) - 1 for protein in proteins)


def test_chimeras_hold_no_intron_of_held_out_sequence_and_translate(data_dir, slices):
    others = held_out(data_dir, slices["arabidopsis"])
    assert sorted(map(len, others)) == [86_436, 185_850, 269_755]
    pieces = read_pieces(data_dir / "splice_eie/eie.at.txt.gz", others)
    assert len(pieces) == 39_984
    known = stretches(others, PIECE_BP)
    for piece in pieces:
        text = decode_bases(np.concatenate([piece.before, piece.intron, piece.after]))
        assert not any(text[i : i + PIECE_BP] in known for i in range(len(text) - PIECE_BP + 1))
    used = of_records(slices["arabidopsis"], TEMPLATES)
    assert [record.id for record, _ in used] == ["Chr1", "Chr2", "Chr3"]
    chimeras = make_chimeras(slices["arabidopsis"], pieces, seed=0)
    assert len(chimeras) == 2_500
    for locus in chimeras:
        protein = translate_gene(locus.codes, locus.gene, 1)
        assert protein[0] == "M" and protein.index("*") == len(protein) - 1


@pytest.mark.parametrize("name", list(DIVIDED))
def test_a_record_is_divided_between_genes_and_every_gene_is_in_one_half(name, data_dir, tmp_path):
    sequence, annotation = (data_dir / path for path in DIVIDED[name])
    divide(tmp_path / name, sequence, annotation, DIVIDED_RECORDS[name])
    source = ["TAIR10"] if name == "arabidopsis" else []
    whole = read_annotation(annotation, sources=source).by_contig()[DIVIDED_RECORDS[name]]
    halves = [next(read_fasta(tmp_path / f"{name}-{part}.fa")) for part in ("in", "out")]
    genes = [read_annotation(tmp_path / f"{name}-{part}.gff3", sources=source).genes for part in ("in", "out")]
    cut = len(halves[0])
    assert [gene.parts for gene in whole] == [
        gene.parts for found, moved in zip(genes, (0, cut), strict=True) for gene in (g.shifted(moved) for g in found)
    ]
    codes = np.concatenate([half.codes for half in halves])
    for gene in whole:
        half = int(gene.start >= cut)
        shifted = gene.shifted(-cut * half)
        assert translate_gene(halves[half].codes, shifted, 1) == translate_gene(codes, gene, 1)


def test_rows_that_a_cut_divides_are_left_out_and_the_others_move():
    rows = [
        ["c", "x", "gene", "11", "20", "."],
        ["c", "x", "gene", "18", "25", "."],
        ["c", "x", "region", "1", "9", "."],
    ]
    assert list(rows_between(rows, 0, 20)) == ["c\tx\tgene\t11\t20\t.\n"]
    assert list(rows_between(rows, 10, 30)) == ["c\tx\tgene\t1\t10\t.\n", "c\tx\tgene\t8\t15\t.\n"]
    assert list(rows_between(rows, 0, 9)) == []
