"""Labels from the attributes of annotated genomes."""

import gzip
from collections import Counter

import pytest
from Bio import SeqIO

from genoformer.annotation.models import Gene
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.labels.genes import EC_CLASSES, labels_of, read_labelled_genes
from genoformer.labels.tables import TableColumns, read_label_table
from genoformer.sequence.alphabet import decode_bases

GFF = """##gff-version 3
c\t.\tCDS\t1\t9\t.\t+\t0\tID=a;locus_tag=A;ec_number=2.7.1.1,2.7.4.2;product=kinase;Ontology_term=GO:0000001,GO:0000002
c\t.\tCDS\t10\t18\t.\t-\t0\tID=b;locus_tag=B;product=unknown
c\t.\tCDS\t19\t24\t.\t+\t2\tID=d;locus_tag=D;ec_number=3.1.1.1,1.1.1.1;partial=true;start_range=.,19
c\t.\tpseudogene\t25\t30\t.\t+\t.\tID=p;locus_tag=P;pseudo=true
"""
BASES = "ATGAAATAA" + "TTATTTCAT" + "CCATAG" + "ACGTAC"


@pytest.fixture
def read(tmp_path):
    """``read("EC_number", level=1)`` reads the genes above."""
    (tmp_path / "g.gff3").write_text(GFF)
    (tmp_path / "g.fa").write_text(f">c\n{BASES}\n")

    def run(attribute, *, group=None, log=None, gff="g.gff3", fasta="g.fa", **options):
        options = {"level": None, "unlabelled": None, "separator": ";", "is_one": False} | options
        files = [tmp_path / fasta] if fasta else []
        columns = TableColumns(label=attribute, group=group)
        return read_labelled_genes([tmp_path / gff], files, columns, log=log or WarningLog(), **options)

    return run


def facts(sequences):
    return [(s.id, decode_bases(s.codes), s.label) for s in sequences]


def test_genes_by_hand(read):
    log = WarningLog()
    assert facts(read("EC_number", log=log)) == [
        ("A", "ATGAAATAA", "2.7.1.1;2.7.4.2"), ("D", "ATAG", "3.1.1.1;1.1.1.1"),
    ]  # fmt: skip
    assert log.counts == {"LABELS-101": 1, "LABELS-108": 1}
    assert [label for *_, label in facts(read("EC_number", level=1))] == ["transferase", "hydrolase;oxidoreductase"]
    assert facts(read("Ontology_term")) == [("A", "ATGAAATAA", "GO:0000001;GO:0000002")]


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_gene_over_an_origin_that_nobody_marks_is_read_over_it(read, tmp_path, strand):
    bases = "ATGAAACCC" if strand == "+" else "GGGTTTCAT"
    (tmp_path / "o.fa").write_text(f">c\n{bases[4:]}TTTTTTTTTT{bases[:4]}\n")
    phases = (2, 0) if strand == "+" else (0, 1)
    places = zip(((1, 5), (16, 19)), phases, strict=True)
    rows = [f"c\t.\tCDS\t{s}\t{e}\t.\t{strand}\t{phase}\tID=a;product=p\n" for (s, e), phase in places]
    (tmp_path / "o.gff3").write_text("##gff-version 3\n" + "".join(rows))
    log = WarningLog()
    assert facts(read("product", gff="o.gff3", fasta="o.fa", log=log)) == [("a", "ATGAAACCC", "p")]
    assert log.counts == {"ANNOTATION-101": 1}


def test_one_class_for_each_gene_leaves_out_genes_with_several(read):
    log = WarningLog()
    found = read("EC_number", level=1, is_one=True, unlabelled="none", log=log)
    assert facts(found) == [("A", "ATGAAATAA", "transferase"), ("B", "ATGAAATAA", "none")]
    assert "hydrolase, oxidoreductase" in log.examples["LABELS-107"]


def test_groups_are_files_or_contigs(read):
    assert {s.group for s in read("product", group="contig")} == {"c"}
    assert {s.group for s in read("product", group="file")} == {"g.gff3"}
    with pytest.raises(UsageError, match='"species"'):
        read("product", group="species")


def test_what_does_not_fit_names_file_and_gene(read, tmp_path):
    with pytest.raises(DataError, match=r'g\.gff3: no gene has a "colour"'):
        read("colour")
    with pytest.raises(DataError, match=r'g\.gff3 c gene "A": the contig has no sequence'):
        read("product", fasta=None)
    (tmp_path / "short.fa").write_text(">c\nACGTACGTA\n")
    with pytest.raises(DataError, match='gene "B": the gene lies beyond'):
        read("product", fasta="short.fa")
    (tmp_path / "two.gff3").write_text(GFF.replace("ID=b;locus_tag=B", "ID=b;locus_tag=A"))
    log = WarningLog()
    names = [sequence.id for sequence in read("product", gff="two.gff3", log=log)]
    assert names[0] == "A" and names[1].startswith("A@c:") and log.counts["LABELS-109"] == 1


def biopython_labels(path):
    """EC classes and GO ids of genes by locus tag, as Biopython reads them."""
    with gzip.open(path, "rt") as file:
        features = [f for record in SeqIO.parse(file, "genbank") for f in record.features if f.type == "CDS"]
    classes, terms = {}, {}
    for qualifiers in (f.qualifiers for f in features if "pseudo" not in f.qualifiers):
        tag = qualifiers["locus_tag"][0]
        classes[tag] = {EC_CLASSES[number[0]] for number in qualifiers.get("EC_number", [])}
        kinds = ("GO_function", "GO_process", "GO_component")
        terms[tag] = {text[:10] for kind in kinds for text in qualifiers.get(kind, [])}
    return [{tag: found for tag, found in labels.items() if found} for labels in (classes, terms)]


def test_labels_of_a_genbank_genome_are_those_of_biopython(data_dir):
    (path,) = (data_dir / "genome_mycoplasma").glob("*.gbff.gz")
    columns = TableColumns(label="EC_number", group="file")
    options = {"level": 1, "unlabelled": None, "separator": ";", "is_one": False, "log": WarningLog()}
    classes, terms = biopython_labels(path)
    found = read_labelled_genes([path], [], columns, **options)
    assert {s.id: set(s.label.split(";")) for s in found} == classes and len(found) == 207
    found = read_labelled_genes([path], [], TableColumns(label="Ontology_term"), **options | {"level": None})
    assert {s.id: set(s.label.split(";")) for s in found} == terms and len(found) > 380


def test_genes_of_a_genbank_genome_are_those_of_the_table_that_was_made_of_it(data_dir):
    (path,) = (data_dir / "genome_haemophilus_rd").glob("*.gbk.gz")
    log = WarningLog()
    ours = read_labelled_genes(
        [path], [], TableColumns(label="EC_number"), level=1, unlabelled=None, separator=";", is_one=True, log=log
    )
    columns = TableColumns(label="ec_class", sequence="dna", id="locus_tag", group="organism")
    rows = read_label_table([data_dir / "func_bacteria_ec" / "bacteria_cds_ec.tsv.gz"], columns, [], log)
    table = {row.id: (row.label, row.codes.tobytes()) for row in rows if "Haemophilus" in row.group}
    same = Counter(table.get(s.id) == (s.label, s.codes.tobytes()) for s in ours)
    assert len(ours) == len(table) and same[False] == 0


def test_several_ids_of_an_ontology_are_found_in_any_qualifier():
    attributes = {"GO_function": "GO:0003677 - DNA binding [Evidence IEA]", "db_xref": "GO:0005737,GI:3"}
    gene = Gene("c", 0, 9, "+", attributes=attributes)
    assert labels_of(gene, "Ontology_term", None) == ["GO:0003677", "GO:0005737"]
