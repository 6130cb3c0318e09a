"""Inputs that break no rule of their format line by line, and still cannot be: errors of the data, or read as meant."""

import numpy as np
import pytest

from genoformer.annotation.gff3_rows import parse_row
from genoformer.annotation.read import LONGEST_CDS_BP, LONGEST_GENE_BP, read_annotation
from genoformer.errors import DataError, GenoformerError, WarningLog
from genoformer.genomes.genome_table import read_genome_table
from genoformer.labels.genes import read_labelled_genes
from genoformer.labels.tables import TableColumns, read_label_table, split_row
from genoformer.structures.contacts import read_chain
from genoformer.structures.pair_files import read_ct, write_ct
from genoformer.variants import vcf_rows
from genoformer.variants.vcf_rows import scan_vcf

HEAD = "##gff-version 3\n"
ATOM = "ATOM  {:5d}  {:<3} {:>3} A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00 20.00           C  \n"
VCF = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
CIF = "data_x\nloop_\n" + "".join(
    f"_atom_site.{name}\n"
    for name in (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id "
        "pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy B_iso_or_equiv auth_seq_id auth_asym_id pdbx_PDB_model_num"
    ).split()
)
CIF_ATOM = "ATOM 1 C CA . MET A 1 ? 1.0 2.0 3.0 1.0 20.0 {} A 1\n"


@pytest.mark.parametrize(
    ("first", "last"), [(1, LONGEST_CDS_BP + 1), (5, 10**15 - 1)], ids=["ten million", "fifteen digits"]
)
def test_a_cds_longer_than_any_is_named(first, last, tmp_path):
    gff3, gtf = tmp_path / "a.gff3", tmp_path / "a.gtf"
    gff3.write_text(f"{HEAD}c\tx\tCDS\t{first}\t{last}\t.\t+\t0\tID=huge\n")
    gtf.write_text(f'c\tx\tCDS\t{first}\t{last}\t.\t+\t0\tgene_id "g"; transcript_id "huge";\n')
    for path in (gff3, gtf):
        with pytest.raises(DataError, match="'huge'") as caught:
            read_annotation(path)
        assert caught.value.code == "ANNOTATION-004"


def test_a_gene_from_end_to_end_of_more_than_any_chromosome_is_named_and_a_whole_genome_as_cds_is_read(tmp_path):
    path = tmp_path / "a.gff3"
    row = "c\tx\tCDS\t{}\t{}\t.\t+\t0\tID=far\n"
    path.write_text(HEAD + row.format(1, 4) + row.format(LONGEST_GENE_BP, LONGEST_GENE_BP + 4))
    with pytest.raises(DataError, match="ANNOTATION-004"):
        read_annotation(path)
    path.write_text(HEAD + row.format(1, LONGEST_CDS_BP))
    assert read_annotation(path).genes[0].length_bp == LONGEST_CDS_BP


def test_a_labelled_gene_behind_the_end_of_its_contig_is_named(tmp_path):
    (tmp_path / "a.gff3").write_text(f"{HEAD}c\tx\tCDS\t4\t9000000\t.\t+\t0\tID=g;product=x\n")
    (tmp_path / "a.fa").write_text(">c\nACGTACGTACGT\n")
    options = {"level": None, "unlabelled": None, "separator": ";", "is_one": False, "log": WarningLog()}
    with pytest.raises(DataError, match="LABELS-018"):
        read_labelled_genes([tmp_path / "a.gff3"], [tmp_path / "a.fa"], TableColumns("product"), **options)


def flat_file(path, features: str):
    path.write_text(
        "LOCUS       c                         20 bp    DNA     linear   BCT 01-JAN-2020\n"
        "FEATURES             Location/Qualifiers\n"
        f"     source          1..20\n{features}ORIGIN\n        1 atgacgtaat gacgtaatga\n//\n"
    )
    return path


@pytest.mark.parametrize("place", ["19..24", "20..40", "?..15", "12.^13", "30..35"])
def test_exons_of_one_locus_tag_may_lie_behind_the_end_or_nowhere(place, tmp_path):
    features = "".join(f'     CDS             {at}\n                     /locus_tag="L"\n' for at in ("1..9", place))
    log = WarningLog()
    try:
        genes = read_annotation(flat_file(tmp_path / "a.gbk", features), warnings=log).genes
    except GenoformerError as error:
        assert error.code.startswith("GENBANK-")
    else:
        assert all(gene.start < 20 for gene in genes)


def test_attributes_that_are_given_many_times_are_all_kept(tmp_path):
    many = ";".join(f"Dbxref=X:{i}" for i in range(20_000))
    row = parse_row(f"c\tx\tCDS\t1\t9\t.\t+\t0\tID=g;{many};note=n", 1, tmp_path / "a.gff3")
    assert row.values("Dbxref") == [f"X:{i}" for i in range(20_000)] and list(row.raw) == ["ID", "Dbxref", "note"]
    tags = "".join('tag "x"; ' for _ in range(20_000)) + 'tag "cds_start_NF";'
    row = f'c\tx\tCDS\t1\t9\t.\t+\t0\tgene_id "g"; transcript_id "t"; {tags}\n'
    (tmp_path / "a.gtf").write_text(row)
    assert read_annotation(tmp_path / "a.gtf").genes[0].partial_5


def test_a_quoted_cell_may_be_a_long_sequence(tmp_path):
    bases = "ACGT" * 50_000
    (tmp_path / "a.csv").write_text(f'id,sequence,label\na,"{bases}","x, y"\n')
    (found,) = read_label_table([tmp_path / "a.csv"], TableColumns("label", "sequence", "id"), [], WarningLog())
    assert (len(found.codes), found.label) == (200_000, "x, y")
    assert split_row('"a""b",c', ",") == ['a"b', "c"]


def test_pairs_that_cross_in_more_ways_than_there_are_brackets_are_named(tmp_path):
    n = 31
    partners = np.concatenate([np.arange(n, 2 * n), np.arange(n)])
    path = tmp_path / "a.ct"
    path.write_text("".join(write_ct([("knot", "A" * 2 * n, partners)])))
    with pytest.raises(DataError, match=r"PAIRS-003.*cross"):
        list(read_ct(path))


def test_positions_of_variants_are_whole_numbers_of_a_genome(tmp_path, monkeypatch):
    path = tmp_path / "a.vcf"
    for text in ("²", "1" + "0" * 30, "9" * 5_000, "-1", "1.0", "", "٣"):
        path.write_text(f"{VCF}c\t{text}\t.\tA\tC\t.\t.\t.\n")
        with pytest.raises(DataError, match="VARIANTS-004") as caught:
            scan_vcf(path, "a.vcf")
        assert len(str(caught.value)) < 200
    monkeypatch.setattr(vcf_rows, "MOST_ALLELES", 3)
    path.write_text(f"{VCF}c\t1\t.\tA\tC,G,T,CC\t.\t.\t.\n")
    with pytest.raises(DataError, match="VARIANTS-006"):
        scan_vcf(path, "a.vcf")


def test_a_path_that_no_file_can_have_is_not_there(tmp_path):
    (tmp_path / "t.tsv").write_text(f"fasta\tannotation\n{'x' * 5_000}\ta.gff3\n")
    with pytest.raises(GenoformerError, match="DATA-003"):
        read_genome_table(tmp_path / "t.tsv")


DAMAGED = {
    "coordinates": "ATOM      1  CA  MET A   1       x.xxx   2.000   3.000  1.00 20.00           C  \n",
    "cut": "ATOM      1  CA  MET A   1       1.0\n",
    "number": "ATOM      1  CA  MET A   x       1.000   2.000   3.000  1.00 20.00           C  \n",
    "infinite": "ATOM      1  CA  MET A   1         inf   2.000   3.000  1.00 20.00           C  \n",
    "nothing": "HEADER\n",
    "short": "ATOM\n",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_pdb_file_is_an_error_of_the_data(name, tmp_path):
    path = tmp_path / "a.pdb"
    path.write_text(DAMAGED[name])
    with pytest.raises(DataError, match=r"CONTACTS-00[12].*a\.pdb"):
        read_chain(path, "A", "here")


def test_lines_of_a_pdb_file_are_counted_as_they_stand(tmp_path):
    path = tmp_path / "a.pdb"
    path.write_text("HEADER\nREMARK   1\n" + DAMAGED["coordinates"])
    with pytest.raises(DataError, match="at line 3"):
        read_chain(path, "A", "here")


@pytest.mark.parametrize(
    "text",
    ["", "data_x\n", "loop_\n_a\n", "data_x\nloop_\n", CIF, CIF + "ATOM 1\n", CIF + CIF_ATOM.format("9" * 30),
     CIF + CIF_ATOM.format("x"), "data_x\n;\n", "data_x\n_a 'b\n", CIF + CIF_ATOM.format(1).replace(" 1\n", " x\n")],
)  # fmt: skip
def test_a_damaged_mmcif_file_is_an_error_of_the_data(text, tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(text)
    with pytest.raises(DataError, match=r"CONTACTS-00[12].*a\.cif"):
        read_chain(path, "A", "here")
    path.write_text(CIF + CIF_ATOM.format(7))
    assert read_chain(path, "A", "here").numbers.tolist() == [7]


def test_a_calcium_ion_is_no_residue_and_a_long_name_is_unknown(tmp_path):
    path = tmp_path / "a.pdb"
    ion = ATOM.format(3, "CA", "CA", 301, 9, 9, 9).replace("ATOM  ", "HETATM")
    path.write_text(ATOM.format(1, "CA", "MET", 1, 1, 2, 3) + ATOM.format(2, "CA", "GLY", 2, 4, 2, 3) + ion)
    assert read_chain(path, "A", "here").letters == "MG"
    path = tmp_path / "a.cif"
    path.write_text(CIF + CIF_ATOM.format(1) + CIF_ATOM.format(2).replace("MET", "A1AXX"))
    assert read_chain(path, "A", "here").letters == "MX"
