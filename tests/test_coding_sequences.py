"""The coding sequences that a language model of codons learns from hold no chain that is held out."""

import sys
from pathlib import Path

from Bio.Seq import Seq

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
from coding_sequences import choose, read_genes, read_held_out


def test_genes_are_in_frame_and_those_with_a_held_out_chain_are_left_out(data_dir, tmp_path):
    genes = list(read_genes([data_dir / "genome_plasmid_yersinia" / "NC_005816.gb"]))
    chain = genes[2][1][30:120]
    (tmp_path / "t.tsv").write_text(f"id\tdna\tstates\na\t{chain}\t{'H' * 30}\nb\t{genes[0][1]}\tH\n")
    (tmp_path / "s.tsv").write_text("a\ttest\nb\ttrain\n")
    kept, n_left_out = choose(genes, read_held_out(tmp_path / "t.tsv", tmp_path / "s.tsv"))
    assert n_left_out == 1 and len(kept) == 9 and not any(chain in bases for bases in kept)
    for bases in kept:
        protein = str(Seq(bases).translate(table=11))
        assert protein.endswith("*") and "*" not in protein[:-1]


def test_copies_and_broken_frames_are_left_out():
    genes = [("a", "ATGAAATAA"), ("b", "ATGAAATAA"), ("c", "ATGAAATA"), ("d", "ATGNNNTAA")]
    assert choose(genes, []) == ({"ATGAAATAA": "a"}, 0)
