"""More annotations as programs and people write them: rows of several programs, odd rows, odd attributes."""

import pytest
from annotation_text import HEAD, cds, genbank, gff3, gtf, parts

from genoformer.annotation.stop_codons import include_stop_codons
from genoformer.errors import DataError
from genoformer.sequence.alphabet import encode_bases


@pytest.mark.parametrize("strand", ["+", "-"])
def test_lengths_join_rows_whose_phases_are_all_0(read, strand):
    rows = [gff3("CDS", *span, f"ID=c{i};Parent=g", strand, 0) for i, span in enumerate([(1, 100), (301, 350)])]
    annotation, counts = read(HEAD + gff3("gene", 1, 400, "ID=g", strand) + "".join(rows))
    assert parts(annotation) == [((0, 100), (300, 350))] and counts == {"GFF3-103": 1}


def test_a_row_that_stands_twice_is_one_row(read):
    for head, row in ((HEAD, gff3("CDS", 1, 99, "ID=c", phase=0)), ("", gtf("CDS", 1, 99, "t", phase=0))):
        annotation, counts = read(head + row + row)
        assert parts(annotation) == [((0, 99),)] and not counts


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_gene_inside_an_intron_may_have_the_cds_id_of_the_gene_around_it(read, strand):
    rows = [gff3("gene", 1, 690, "ID=g"), gff3("gene", 301, 390, "ID=h", strand)]
    rows += [gff3("CDS", low, low + 89, "ID=CDS;Parent=g", phase=0) for low in (1, 601)]
    annotation, counts = read(HEAD + "".join(rows) + gff3("CDS", 301, 390, "ID=CDS;Parent=h", strand, 0))
    assert parts(annotation) == [((0, 90), (600, 690)), ((300, 390),)] and counts == {"GFF3-109": 1}


def test_rows_of_one_cds_id_that_alternate_between_a_gene_and_its_transcript_contradict_each_other(read):
    rows = [gff3("gene", 1, 900, "ID=g"), gff3("mRNA", 1, 900, "ID=t;Parent=g")]
    rows += [gff3("CDS", 1 + 300 * i, 90 + 300 * i, f"ID=c;Parent={p}", phase=0) for i, p in enumerate("tgt")]
    with pytest.raises(DataError, match=r"GFF3-017.*line 8.*'c'"):
        read(HEAD + "".join(rows))


def test_two_programs_may_give_one_transcript_id(read):
    rows = [gtf("CDS", low, low + 89 + 3 * i, "g1.t1", "g1", phase=0) for i, low in enumerate((1, 51, 1001))]
    text = rows[0] + rows[1].replace("\tx\t", "\ty\t") + rows[2].replace("\tx\t", "\tz\t")
    annotation, counts = read(text)
    assert parts(annotation) == [((0, 90),), ((50, 143),), ((1000, 1096),)] and counts == {"GTF-101": 1}


@pytest.mark.parametrize("ids", ["", "ID=c{i};", "Derives_from=g{i};", "ID=c{i};Derives_from=g{i};"])
def test_genes_of_an_operon_share_a_transcript(read, ids):
    places = ((1, 90), (131, 220))
    rows = [gff3("gene", *place, f"ID=g{i};Parent=o;gene=x{i}") for i, place in enumerate(places)]
    rows += [gff3("CDS", *place, ids.format(i=i) + "Parent=t", phase=0) for i, place in enumerate(places)]
    above = gff3("operon", 1, 220, "ID=o") + gff3("mRNA", 1, 220, "ID=t;Parent=g0,g1")
    annotation, counts = read(HEAD + above + "".join(rows))
    assert [(gene.parts, gene.name) for gene in annotation.genes] == [(((0, 90),), "x0"), (((130, 220),), "x1")]
    assert not counts


def test_files_one_behind_the_other_are_all_read(read):
    one = "##gff-version 3\n{}##FASTA\n>{}\nACGT\n"
    rows = [gff3("CDS", 1, 90, "ID=a", phase=0, contig=contig) for contig in ("c", "d")]
    annotation, counts = read(one.format(rows[0], "c") + one.format(rows[1], "d"))
    assert [gene.contig for gene in annotation.genes] == ["c", "d"] and not counts


@pytest.mark.parametrize("kind", ["five_prime_UTR", "5UTR", "5'-UTR", "5_prime_UTR", "UTR", "utr5"])
def test_regions_beside_exons_as_short_as_the_cds_are_exons(read, kind):
    """The stop codon is in none of them, but has a row or not."""
    rows = [gtf("exon", 31, 87, "t"), gtf(kind, 1, 30, "t"), gtf(kind, 91, 120, "t"), gtf("CDS", 31, 87, "t", phase=0)]
    (gene,) = read("".join(rows))[0].genes
    assert (gene.parts, gene.exons) == (((30, 87),), ((0, 120),))
    (gene,) = read("".join(rows) + gtf("stop_codon", 88, 90, "t"))[0].genes
    assert (gene.parts, gene.exons) == (((30, 90),), ((0, 120),))


def test_rows_of_stop_codons_speak_for_the_program_that_writes_them(read):
    rows = (
        gtf("start_codon", 1, 3, "t", "t") + gtf("CDS", 1, 87, "t", "t", phase=0) + gtf("stop_codon", 88, 90, "t", "t")
    )
    other = gtf("CDS", 201, 290, "u", "u", phase=0).replace("\tx\t", "\ty\t")
    assert [gene.partial_3 for gene in read(rows + other)[0].genes] == [False, False]
    assert [gene.partial_3 for gene in read(rows + gtf("CDS", 201, 290, "u", "u", phase=0))[0].genes] == [False, True]


@pytest.mark.parametrize("last", [20, 23])
def test_bases_show_ends_that_have_no_row(read, last):
    """Of two transcripts of one program the second has no rows of its codons; it is cut where the bases show none."""
    codes = encode_bases(3 * (b"CCC" + b"ATGGCAGCAGCAGCATAA" + b"CC"))
    rows = [gtf("start_codon", 27, 29, "t", "t"), gtf("CDS", 27, 41, "t", "t", phase=0)]
    rows += [gtf("stop_codon", 42, 44, "t", "t"), gtf("CDS", 4, last - 2, "u", "u", phase=0)]
    rows += [gtf("CDS", 53, 61, "v", "v", phase=0)]
    first, second, third = read("".join(rows))[0].genes
    assert first.partial_5 and first.partial_3 and third.partial_5 and third.partial_3
    found = include_stop_codons(codes, [first, second, third], 1)
    assert [(gene.parts, gene.partial_5, gene.partial_3) for gene in found] == [
        (((3, 21),), False, False), (((26, 44),), False, False), (((52, 61),), True, True),
    ]  # fmt: skip


def test_rows_without_any_cds_are_said(read):
    for text in (
        HEAD + gff3("gene", 1, 90, "ID=g"),
        gtf("exon", 1, 90, "t"),
        genbank(cds("1..63")).replace("CDS ", "gene"),
    ):
        annotation, counts = read(text)
        assert not annotation.genes and counts["ANNOTATION-103"] == 1
    assert not read(HEAD + gff3("region", 1, 90, "ID=r"))[1]


def test_cds_may_be_small_letters(read):
    assert parts(read(HEAD + gff3("cds", 1, 90, "ID=a", phase=0))[0]) == [((0, 90),)]
    assert parts(read(gtf("cds", 1, 90, "t", phase=0))[0]) == [((0, 90),)]


@pytest.mark.parametrize(
    "more", [" # a note", ";", " ;", " basic;", ' gene-name "x";', " product a b c;", ' db_xref "a"; db_xref "b"']
)  # fmt: skip
def test_gtf_attributes_as_people_write_them(read, more):
    (gene,) = read(gtf("CDS", 1, 90, "t", phase=0).rstrip("\n") + f"{more}\n")[0].genes
    assert gene.id == "t"


@pytest.mark.parametrize(
    "row", [gff3("intron", 91, 90, "t"), gff3("transcript", 1, 90, "t", "x"), "c\tx\tgene\t1\t90\n"]
)
def test_rows_of_gtf_that_are_not_read_may_hold_anything(read, row):
    assert parts(read(row + gtf("CDS", 1, 90, "t", phase=0))[0]) == [((0, 90),)]


def test_two_ids_in_a_row_of_gtf_contradict_each_other(read):
    with pytest.raises(DataError, match=r"GTF-004.*line 1.*'transcript_id'"):
        read(gtf("CDS", 1, 90, "t", phase=0).rstrip("\n") + ' transcript_id "u";\n')


def test_gtf_is_told_by_its_first_telling_row(read):
    row = gtf("CDS", 1, 90, "t", phase=0)
    bare = gff3("gene", 1, 90, "g1")
    for text in (20000 * "# (none)\n" + bare + row, ("#!x\n" + row).replace("\n", "\r"), 'track name="x"\n' + row):
        assert parts(read(text)[0]) == [((0, 90),)]


def test_errors_of_gtf_speak_of_gtf(read):
    with pytest.raises(DataError, match=r"line 1.*found 8\..*GTF has nine columns"):
        read(gtf("CDS", 1, 90, "t", phase=0).replace("\t+\t", "\t"))


def test_what_ncbi_says_of_cds_rows_in_gtf_is_read(read):
    more = ' pseudo "true"; exception "ribosomal slippage"; transl_table "4"; transl_except "(pos:4..6,aa:Sec)";\n'
    annotation, _ = read(gtf("CDS", 1, 90, "t", phase=0).rstrip("\n") + more)
    (gene,) = annotation.genes
    assert gene.pseudo and gene.slippage and gene.transl_except == ((3, 6, "Sec"),)
    assert annotation.genetic_codes == {"c": 4}


@pytest.mark.parametrize("kind", ["region", "contig", "plasmid"])
def test_any_row_from_base_1_may_call_its_sequence_circular(read, kind):
    assert read("##gff-version 3\n" + gff3(kind, 1, 900, "ID=c;Is_circular=true"))[0].circular == {"c"}


SOURCE = ["     source          1..120"]


@pytest.mark.parametrize("place", ["91..153", "complement(91..153)"])
def test_a_place_behind_the_end_of_a_flat_record_runs_over_its_origin(read, place):
    annotation, counts = read(genbank([*SOURCE, *cds(place)]))
    assert parts(annotation) == [((90, 153),)] and annotation.circular == {"MADE1"} and counts["GENBANK-103"] == 1


def test_a_place_behind_the_end_of_a_damaged_record_cannot_be_read(read):
    annotation, counts = read(genbank(["     source          1..480", *cds("91..153")]))
    assert not annotation.genes and not annotation.circular and counts["GENBANK-102"] == 1


def test_records_of_unknown_accession_are_called_by_their_locus(read):
    text = genbank(cds("1..63")).replace("ACCESSION   MADE1", "ACCESSION   unknown")
    assert read(text + text.replace("MADE1 ", "MADE2 "))[0].contigs == ["MADE1", "MADE2"]


def test_an_embl_record_without_sequence_is_said(read):
    with pytest.raises(DataError, match=r"GENBANK-001.*record 1.*has no sequence \(SQ\)"):
        read(
            "ID   A; SV 1; linear; genomic DNA; STD; PRO; 120 BP.\nAC   A;\nFH   Key\nFT   CDS             1..63\n//\n"
        )


def test_a_gene_without_stop_codon_at_the_end_of_its_sequence_stays(read):
    annotation, _ = read(HEAD + gff3("CDS", 1, 12, "ID=a", "-", 0) + gff3("CDS", 31, 42, "ID=b", "+", 0))
    codes = encode_bases(3 * b"CCCGCAGCACATCC")
    assert include_stop_codons(codes, annotation.genes, 1) == annotation.genes
