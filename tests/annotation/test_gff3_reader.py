import gzip

import pytest

from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_annotation
from genoformer.errors import DataError, MissingFileError, WarningLog

HEADER = "##gff-version 3\n##sequence-region c 1 900\n"


def row(kind, start, end, attributes, strand="+", phase=".", contig="c", score="."):
    return "\t".join(map(str, (contig, "x", kind, start, end, score, strand, phase, attributes))) + "\n"


@pytest.fixture
def read(tmp_path):
    """Write text to a file and read it: the annotation and the warnings."""

    def write_and_read(text, header=HEADER):
        path = tmp_path / "a.gff3"
        path.write_text(header + text)
        log = WarningLog()
        return read_annotation(path, warnings=log), log

    return write_and_read


def test_coordinates_become_zero_based_half_open(read):
    annotation, log = read(row("CDS", 10, 30, "ID=d;transl_table=4", phase=0))
    assert annotation.genes == [Gene("c", 9, 30, "+", ((9, 30),), id="d", genetic_code=4)]
    assert annotation.contig_lengths == {"c": 900} and annotation.genetic_codes == {"c": 4} and not log.counts


def test_rows_with_one_id_are_one_gene_on_either_strand(read):
    text = row("CDS", 50, 60, "ID=d", "-", 0) + row("CDS", 10, 30, "ID=d", "-", 1)
    (gene,) = read(text)[0].genes
    assert gene.parts == ((9, 30), (49, 60)) and gene.strand == "-" and not gene.is_simple


def test_rows_without_id_are_joined_by_parent_and_isoforms_stay_apart(read):
    text = "".join(row("mRNA", 10, 60, f"ID=m{i};Parent=g") for i in (1, 2)) + row("gene", 10, 60, "ID=g;Name=abc")
    text += row("CDS", 10, 20, "Parent=m1,m2", phase=0) + row("CDS", 40, 60, "Parent=m2", phase=1)
    genes = read(text)[0].genes
    assert [(gene.id, gene.parts, gene.name) for gene in genes] == [
        ("m2", ((9, 20), (39, 60)), "abc"),
        ("m1", ((9, 20),), "abc"),
    ]


def test_ids_of_a_transcripts_rows_that_differ_are_joined_with_a_counted_warning(read):
    text = row("mRNA", 10, 60, "ID=m") + row("CDS", 10, 20, "ID=a;Parent=m", phase=0)
    annotation, log = read(text + row("CDS", 40, 60, "ID=b;Parent=m", phase=1))
    assert [gene.parts for gene in annotation.genes] == [((9, 20), (39, 60))] and log.counts == {"GFF3-103": 1}


def test_two_cds_of_one_gene_row_stay_two_genes(read):
    text = row("gene", 10, 60, "ID=g") + row("CDS", 10, 24, "ID=a;Parent=g", phase=0)
    assert len(read(text + row("CDS", 40, 60, "ID=b;Parent=g", phase=0))[0].genes) == 2


def test_names_tags_and_pseudo_come_from_the_parents(read):
    text = row("gene", 10, 30, "ID=g;locus_tag=b1;gene=thrA;pseudo=true") + row("CDS", 10, 30, "ID=d;Parent=g", phase=0)
    (gene,) = read(text)[0].genes
    assert (gene.locus_tag, gene.name, gene.pseudo) == ("b1", "thrA", True)


def test_a_pseudogene_without_cds_is_a_gene_but_a_pseudo_trna_is_none(read):
    text = row("pseudogene", 10, 30, "ID=g1;pseudo=true;gene_biotype=pseudogene", "-")
    text += row("gene", 40, 60, "ID=g2;pseudo=true;gene_biotype=tRNA") + row("tRNA", 40, 60, "ID=t;Parent=g2")
    assert read(text)[0].genes == [Gene("c", 9, 30, "-", id="g1", pseudo=True)]


@pytest.mark.parametrize(
    ("attributes", "strand", "expected"),
    [
        ("partial=true;start_range=.,10", "+", (True, False)),
        ("partial=true;start_range=.,10", "-", (False, True)),
        ("partial=true;end_range=30,.", "+", (False, True)),
        ("partial=true;end_range=30,.", "-", (True, False)),
        ("partial=10", "+", (True, False)),
        ("partial=10", "-", (False, True)),
        ("partial=00", "+", (False, False)),
    ],
)
def test_missing_ends_are_biological_ends(read, attributes, strand, expected):
    (gene,) = read(row("CDS", 10, 30, f"ID=d;{attributes}", strand, 0))[0].genes
    assert (gene.partial_5, gene.partial_3) == expected


def test_partial_without_a_range_counts_both_ends_and_warns(read):
    annotation, log = read(row("CDS", 10, 30, "ID=d;partial=true", phase=0))
    assert annotation.genes[0].partial_5 and annotation.genes[0].partial_3 and log.counts == {"GFF3-106": 1}


def test_phase_offset_is_the_phase_of_the_first_row_in_reading_direction(read):
    plus = row("CDS", 10, 20, "ID=a", phase=2) + row("CDS", 40, 60, "ID=a", phase=0)
    minus = row("CDS", 110, 120, "ID=b", "-", 0) + row("CDS", 140, 160, "ID=b", "-", 1)
    assert [gene.phase_offset for gene in read(plus + minus)[0].genes] == [2, 1]


def test_slippage_and_selenocysteine_are_read(read):
    text = row("CDS", 10, 30, "ID=a;exception=ribosomal slippage", phase=0)
    text += row("CDS", 40, 60, "ID=b;transl_except=(pos:complement(43..45)%2Caa:Sec),(pos:52..54%2Caa:Pyl)", "-", 0)
    first, second = read(text)[0].genes
    assert first.slippage and second.transl_except == ((42, 45, "Sec"), (51, 54, "Pyl"))


def test_percent_codes_are_decoded_in_ids_and_values(read):
    text = row("gene", 10, 30, "ID=g%3B1;gene=a%2Cb") + row("CDS", 10, 30, "ID=d;Parent=g%3B1", phase=0)
    text = text.replace("c\tx", "c%20d\tx")
    (gene,) = read(text)[0].genes
    assert (gene.contig, gene.name) == ("c d", "a,b")


def test_a_gene_over_the_origin_has_an_end_behind_the_length(read):
    region = row("region", 1, 900, "ID=r;Is_circular=true")
    annotation, log = read(region + row("CDS", 880, 909, "ID=d", phase=0))
    assert annotation.circular == {"c"} and annotation.genes[0].parts == ((879, 909),) and not log.counts


@pytest.mark.parametrize("strand", ["+", "-"])
def test_two_rows_that_meet_at_the_origin_of_a_circle_are_one_part(read, strand):
    region = row("region", 1, 900, "ID=r;Is_circular=true")
    text = row("CDS", 880, 900, "ID=d", strand, 0) + row("CDS", 1, 9, "ID=d", strand, 0)
    (gene,) = read(region + text)[0].genes
    assert gene.parts == ((879, 909),) and gene.is_simple


def test_a_row_order_that_runs_over_the_end_makes_the_contig_circular_with_a_warning(data_dir):
    log = WarningLog()
    path = data_dir / "malformed/crafted_from_phix174/valid_origin_spanning_two_rows.gff3"
    annotation = read_annotation(path, warnings=log)
    assert annotation.circular == {"phix"} and log.counts == {"ANNOTATION-101": 1}
    assert [gene.parts for gene in annotation.genes] == [((3980, 5522),)]


def test_a_gene_over_the_end_of_a_contig_that_no_row_calls_circular_makes_it_circular_with_a_warning(read):
    annotation, log = read(row("CDS", 880, 909, "ID=d", phase=0))
    assert annotation.circular == {"c"} and annotation.genes[0].end == 909 and log.counts == {"ANNOTATION-101": 1}


def test_a_gene_behind_the_end_of_its_contig_is_refused(read):
    with pytest.raises(DataError, match=r"line 3: gene 'd' at 901..909 lies behind the end 900"):
        read(row("CDS", 901, 909, "ID=d", phase=0))


def test_an_unknown_parent_is_counted_not_fatal(read):
    annotation, log = read(row("CDS", 10, 30, "ID=d;Parent=nobody", phase=0))
    assert len(annotation.genes) == 1 and log.counts == {"GFF3-102": 1} and "line 3" in log.lines()[0]


def test_reading_stops_at_the_fasta_section(read):
    assert read(row("CDS", 10, 30, "ID=d", phase=0) + "##FASTA\n>c\nACGT\n")[0].genes[0].id == "d"


def test_a_valid_file_without_features_gives_an_empty_annotation(read):
    annotation, log = read("")
    assert annotation.genes == [] and annotation.contig_lengths == {"c": 900} and not log.counts


def test_a_missing_version_line_is_counted(read):
    assert read(row("CDS", 10, 30, "ID=d", phase=0), header="")[1].counts == {"GFF3-101": 1}


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("c\tx\tCDS\t1\t9\t.\t+\t0\n", "GFF3-004", "found 8"),
        (row("CDS", 9, 1, "ID=d"), "GFF3-007", r"9\.\.1"),
        (row("CDS", 0, 9, "ID=d"), "GFF3-007", r"0\.\.9"),
        (row("CDS", 1.5, 9, "ID=d"), "GFF3-006", "'1.5'"),
        (row("CDS", "²", 9, "ID=d"), "GFF3-006", "'²'"),
        (row("CDS", 1, 9, "ID=d", strand="x"), "GFF3-008", "'x'"),
        (row("CDS", 1, 9, "ID=d", strand="."), "GFF3-014", "strand"),
        (row("CDS", 1, 9, "ID=d", phase=3), "GFF3-009", "'3'"),
        (row("CDS", 1, 9, "ID=d", score="high"), "GFF3-010", "'high'"),
        (row("CDS", 1, 9, "ID=d;nonsense"), "GFF3-012", "'nonsense'"),
        (row("CDS", 1, 9, 'gene_id "a"; transcript_id "b"'), "GFF3-011", "looks like GTF"),
        (row("CDS", 1, 9, "ID=d;transl_table=x", phase=0), "GFF3-015", "'x'"),
        (row("gene", 1, 9, "ID=a;Parent=a"), "GFF3-013", "'a' is its own ancestor"),
        ("##gff-version 2\n", "GFF3-002", "'2'"),
        (row("CDS", 1, 9, "ID=d;ID=e", phase=0), "GFF3-018", "'ID' is given twice"),
    ],
)
def test_a_broken_rule_names_file_and_line(read, text, code, message):
    with pytest.raises(DataError, match=rf"error\[{code}\].*a\.gff3 line 3.*{message}"):
        read(text)


def test_line_ends_byte_order_mark_and_gzip_make_no_difference(tmp_path):
    text = HEADER + row("CDS", 10, 30, "ID=d", phase=0)
    variants = [text, text.replace("\n", "\r\n"), text.replace("\n", "\r"), "\ufeff" + text, text.rstrip("\n")]
    payloads = [variant.encode() for variant in variants]
    expected = [Gene("c", 9, 30, "+", id="d")]
    for i, payload in enumerate([*payloads, gzip.compress(payloads[0]), gzip.compress(payloads[1])]):
        path = tmp_path / f"{i}.txt"
        path.write_bytes(payload)
        log = WarningLog()
        assert read_annotation(path, warnings=log).genes == expected and not log.counts


def test_a_cut_off_gzip_file_is_a_data_error(tmp_path):
    path = tmp_path / "a.gff3.gz"
    path.write_bytes(gzip.compress((HEADER + row("CDS", 10, 30, "ID=d", phase=0) * 5000).encode())[:-20])
    with pytest.raises(DataError, match="cannot be decompressed"):
        read_annotation(path)


def test_bgzf_without_its_end_block_is_a_data_error(tmp_path, data_dir):
    path = tmp_path / "a.gff.bgz"
    path.write_bytes((data_dir / "malformed/FormatSpecimens/GFF3/TAIR10.part.gff.bgz").read_bytes()[:-28])
    with pytest.raises(DataError, match="no end block"):
        read_annotation(path)


def test_a_missing_file_and_other_formats_are_named(tmp_path):
    with pytest.raises(MissingFileError, match="no such file"):
        read_annotation(tmp_path / "none.gff3")
    for text, kind in ((">a\nACGT\n", "FASTA"), ("@a\nAC\n+\nII\n", "FASTQ"), ("<html>", "HTML"), ("", "empty")):
        path = tmp_path / "a.gff3"
        path.write_text(text)
        with pytest.raises(DataError, match=kind):
            read_annotation(path)


@pytest.mark.data
def test_ecoli_gff3_and_genbank_agree_on_every_gene(genome, data_dir):
    real = genome("ecoli")
    path = data_dir / "genome_ecoli_k12/GCF_000005845.2_ASM584v2_genomic.gff.gz"
    log = WarningLog()
    annotation = read_annotation(path, warnings=log)

    def facts(genes):
        names = ("contig", "start", "end", "strand", "parts", "locus_tag", "name", "slippage", "transl_except")
        # Biopython puts a space where GenBank breaks the line of a product.
        squeezed = ["".join(gene.product.split()) for gene in genes]
        rows = [(*(getattr(g, name) for name in names), text) for g, text in zip(genes, squeezed, strict=True)]
        return [row for row, gene in zip(rows, genes, strict=True) if not gene.pseudo]

    assert facts(annotation.genes) == facts(real.annotation.genes) and len(facts(annotation.genes)) == 4298
    assert sum(gene.pseudo for gene in annotation.genes) == 145
    assert annotation.circular == {"NC_000913.3"} and annotation.contig_lengths == {"NC_000913.3": 4641652}
    assert annotation.genetic_codes == {"NC_000913.3": 11} and not log.counts


@pytest.mark.data
def test_yeast_gff3_holds_the_introns_of_its_genbank_file(data_dir):
    gff3, genbank = (read_annotation(data_dir / f"genome_yeast_s288c/sc_chrom1.{end}.gz") for end in ("gff3", "gb"))
    found = {gene.parts for gene in gff3.genes if not gene.pseudo}
    assert {gene.parts for gene in genbank.genes if not gene.pseudo} == found
    assert sum(len(parts) > 1 for parts in found) == 3
