import warnings

import pytest

from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation, read_records
from genoformer.errors import DataError, WarningLog
from genoformer.sequence.alphabet import decode_bases


def genbank(features, topology="linear", sequence="acgtacgtac" * 6, molecule="DNA"):
    origin = "".join(f"{i + 1:>9} {sequence[i : i + 10]}\n" for i in range(0, len(sequence), 10))
    unit = "aa" if molecule == "PRT" else "bp"
    kind = "   " if molecule == "PRT" else molecule
    return (
        f"LOCUS       c                {len(sequence):>11} {unit}    {kind}     {topology:<8} BCT 01-JAN-2000\n"
        f"DEFINITION  made up.\nACCESSION   c\nVERSION     c.1\nFEATURES             Location/Qualifiers\n"
        f"{features}ORIGIN\n{origin}//\n"
    )


def feature(kind, location, *qualifiers):
    lines = [f"     {kind:<16}{location}", *(" " * 21 + qualifier for qualifier in qualifiers)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def read(tmp_path):
    """Write a GenBank file and read it: the annotation and the warnings."""

    def write_and_read(features, **options):
        path = tmp_path / "a.gb"
        path.write_text(genbank(features, **options))
        log = WarningLog()
        return read_annotation(path, warnings=log), log

    return write_and_read


def test_a_plain_cds_with_its_names(read):
    names = ('/gene="thrA"', '/locus_tag="b1"', '/product="kinase"', "/transl_table=4", '/protein_id="P.1"')
    annotation, log = read(feature("CDS", "4..12", *names))
    expected = Gene("c.1", 3, 12, "+", id="P.1", locus_tag="b1", name="thrA", product="kinase", genetic_code=4)
    expected.attributes = {"protein_id": "P.1"}
    assert annotation.genes == [expected] and not log.counts
    assert annotation.contig_lengths == {"c.1": 60} and annotation.genetic_codes == {"c.1": 4}


@pytest.mark.parametrize(
    ("location", "strand", "parts", "partial"),
    [
        ("join(4..12,20..31)", "+", ((3, 12), (19, 31)), (False, False)),
        ("complement(join(4..12,20..31))", "-", ((3, 12), (19, 31)), (False, False)),
        ("join(complement(20..31),complement(4..12))", "-", ((3, 12), (19, 31)), (False, False)),
        ("<1..12", "+", ((0, 12),), (True, False)),
        ("complement(<1..12)", "-", ((0, 12),), (False, True)),
        ("complement(<1..>60)", "-", ((0, 60),), (True, True)),
        ("join(<1..12,20..>60)", "+", ((0, 12), (19, 60)), (True, True)),
    ],
)
def test_locations_are_read(read, location, strand, parts, partial):
    (gene,) = read(feature("CDS", location))[0].genes
    assert (gene.strand, gene.parts, (gene.partial_5, gene.partial_3)) == (strand, parts, partial)


@pytest.mark.parametrize("location", ["join(50..60,1..10)", "complement(join(50..60,1..10))"])
def test_a_gene_over_the_origin_is_one_part(read, location):
    annotation, log = read(feature("CDS", location), topology="circular")
    assert [gene.parts for gene in annotation.genes] == [((49, 70),)]
    assert annotation.circular == {"c.1"} and not log.counts


def test_a_gene_over_the_end_of_a_linear_record_makes_it_circular_with_a_warning(read):
    annotation, log = read(feature("CDS", "join(50..60,1..10)"))
    assert annotation.genes[0].parts == ((49, 70),)
    assert annotation.circular == {"c.1"} and log.counts == {"GENBANK-103": 1}


def test_qualifiers_become_flags(read):
    flags = ("/codon_start=2", "/ribosomal_slippage", "/transl_except=(pos:complement(7..9),aa:Sec)", "/pseudo")
    (gene,) = read(feature("CDS", "complement(<4..>12)", *flags))[0].genes
    assert (gene.phase_offset, gene.slippage, gene.pseudo) == (1, True, True)
    assert gene.transl_except == ((6, 9, "Sec"),)


def test_parts_on_both_strands_are_trans_spliced(read):
    annotation, _ = read(feature("CDS", "join(complement(4..12),20..31)", "/trans_splicing"))
    assert annotation.genes[0].trans_spliced and annotation.genes[0].parts == ((3, 12), (19, 31))


def test_a_pseudogene_counts_once_and_a_pseudo_trna_not_at_all(read):
    features = feature("gene", "4..12", '/locus_tag="a"', "/pseudo") + feature(
        "CDS", "4..12", '/locus_tag="a"', "/pseudo"
    )
    features += feature("gene", "20..31", '/locus_tag="b"', "/pseudo")
    features += feature("gene", "40..50", '/locus_tag="c"', "/pseudo") + feature("tRNA", "40..50", '/locus_tag="c"')
    assert [(gene.locus_tag, gene.pseudo) for gene in read(features)[0].genes] == [("a", True), ("b", True)]


def test_a_place_in_another_record_is_left_out_and_counted(read):
    annotation, log = read(feature("CDS", "join(4..12,X1.1:20..31)") + feature("CDS", "20..31"))
    assert [gene.start for gene in annotation.genes] == [19] and log.counts == {"GENBANK-102": 1}


def test_biopython_warnings_are_counted_and_not_printed(data_dir):
    log = WarningLog()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_annotation(data_dir / "malformed/biopython/GenBank/wrong_sequence_indent.gb", warnings=log)
    assert log.counts == {"GENBANK-101": 109}


def test_bad_qualifiers_proteins_and_repeated_ids_are_data_errors(tmp_path, read):
    with pytest.raises(DataError, match=r"codon_start must be 1 to 3, found '4'"):
        read(feature("CDS", "4..12", "/codon_start=4"))
    with pytest.raises(DataError, match=r"record c\.1: the record is a protein"):
        read("", sequence="mkvl", molecule="PRT")
    path = tmp_path / "two.gb"
    path.write_text(genbank("") * 2)
    with pytest.raises(DataError, match=r"record c\.1: two records have this id"):
        read_annotation(path)


def test_a_record_without_accession_goes_by_its_locus_name(data_dir):
    annotation = read_annotation(data_dir / "malformed/biopython/GenBank/bad_origin_wrap_CDS.gb")
    assert "." not in annotation.contig_lengths and len(annotation.genes) == 2


def test_a_record_without_sequence_has_genes_but_gives_no_bases(data_dir):
    path = data_dir / "malformed/biopython/GenBank/tls_KDHP01000000.gb"
    assert read_annotation(path).contig_lengths == {"KBUV00000000.1": 3714}
    with pytest.raises(DataError, match=r"record KBUV00000000\.1: the record has no sequence"):
        list(read_records(path))


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "n_genes", "n_pseudo", "code"),
    [
        ("ecoli", 4443, 145, 11),
        ("haemophilus", 1721, 117, 11),
        ("mycoplasma", 861, 4, 4),
        ("plasmid", 10, 0, 11),
        ("chloroplast", 85, 0, 11),
        ("phix174", 11, 0, 11),
        ("lambda", 73, 0, 11),
        ("NC_019724", 60, 0, 11),
        ("NC_049491", 244, 0, 11),
    ],
)
def test_real_genomes_have_the_counts_of_their_readme(genome, name, n_genes, n_pseudo, code):
    real = genome(name)
    assert len(real.annotation.genes) == n_genes
    assert sum(gene.pseudo for gene in real.annotation.genes) == n_pseudo
    assert real.genetic_code == code


@pytest.mark.data
def test_phix174_is_circular_and_three_genes_cross_its_origin(genome):
    real = genome("phix174")
    assert real.circular
    assert [gene.parts for gene in real.annotation.genes if gene.end > 5386] == [
        ((3980, 5522),),
        ((4496, 5522),),
        ((5074, 5437),),
    ]


@pytest.mark.data
@pytest.mark.parametrize("name", ["phix174", "chloroplast", "mycoplasma"])
def test_the_bases_equal_biopythons(genome, name):
    real = genome(name)
    assert decode_bases(real.record.codes) == str(real.truth.seq).upper() and real.record.id == real.truth.id
