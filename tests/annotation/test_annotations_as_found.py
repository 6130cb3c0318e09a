"""Annotations as programs and people write them: what is one gene, and what is not."""

import pytest
from annotation_text import HEAD, cds, genbank, gff3, gtf, parts

from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import label_tracks
from genoformer.errors import DataError
from genoformer.sequence.alphabet import encode_bases


def test_a_mark_or_a_name_holds_on_its_own_sequence_only(read):
    rows = [
        gff3("gene", 1, 90, f"ID=g1;{more}", contig=contig) + gff3("CDS", 1, 90, "ID=c1;Parent=g1", "+", 0, contig)
        for contig, more in (("c", "pseudo=true;gene=a"), ("d", "gene=b"))
    ]
    annotation, counts = read(HEAD + "".join(rows))
    assert [(gene.contig, gene.pseudo, gene.name) for gene in annotation.genes] == [("c", True, "a"), ("d", False, "b")]
    assert not counts


def test_a_parent_on_another_sequence_is_no_parent(read):
    text = gff3("gene", 1, 90, "ID=g1;gene=a", contig="d") + gff3("CDS", 1, 90, "ID=c1;Parent=g1", "+", 0)
    annotation, counts = read(HEAD + text)
    assert annotation.genes[0].name == "" and counts == {"GFF3-102": 1}


@pytest.mark.parametrize("strand", ["+", "-"])
def test_rows_of_one_parent_with_ids_of_their_own_are_one_cds_where_phases_say_so(read, strand):
    lengths = (100, 50) if strand == "+" else (50, 100)
    ends = [(1, lengths[0]), (301, 300 + lengths[1])]
    phases = (0, 2) if strand == "+" else (2, 0)
    rows = [gff3("CDS", *span, f"ID=c{i};Parent=g", strand, phases[i]) for i, span in enumerate(ends)]
    annotation, counts = read(HEAD + gff3("gene", 1, 400, "ID=g", strand) + "".join(rows))
    assert len(annotation.genes) == 1 and counts == {"GFF3-103": 1}


def test_what_phases_leave_open_follows_the_other_genes_of_the_file(read):
    either = gff3("gene", 2001, 2999, "ID=h") + "".join(
        gff3("CDS", 2001 + 300 * i, 2090 + 300 * i, f"ID=h{i};Parent=h", phase=0) for i in range(2)
    )
    proof = gff3("gene", 1, 400, "ID=g") + gff3("CDS", 1, 100, "ID=g1;Parent=g", phase=0)
    proof += gff3("CDS", 301, 350, "ID=g2;Parent=g", phase=2)
    assert len(read(HEAD + either)[0].genes) == 2
    assert len(read(HEAD + proof + either)[0].genes) == 2  # g and h, one each


@pytest.mark.parametrize(
    "second",
    [gff3("CDS", 301, 350, "ID=b;Parent=g;protein_id=q", phase=2), gff3("CDS", 80, 129, "ID=b;Parent=g", phase=2)],
)
def test_other_proteins_and_rows_over_each_other_are_several_cds(read, second):
    first = gff3("CDS", 1, 100, "ID=a;Parent=g;protein_id=p", phase=0)
    assert len(read(HEAD + gff3("gene", 1, 400, "ID=g") + first + second)[0].genes) == 2


def test_one_id_of_different_parents_is_several_genes(read):
    rows = [
        gff3("gene", low, low + 89, f"ID=g{low}", st) + gff3("CDS", low, low + 89, f"ID=c;Parent=g{low}", st, 0)
        for low, st in ((1, "+"), (1001, "+"), (2001, "-"))
    ]
    annotation, counts = read(HEAD + "".join(rows))
    assert parts(annotation) == [((0, 90),), ((1000, 1090),), ((2000, 2090),)] and counts == {"GFF3-109": 1}


def test_one_id_of_parents_that_alternate_contradicts_itself(read):
    rows = [gff3("gene", 1, 900, "ID=g"), gff3("gene", 1, 900, "ID=h")]
    rows += [gff3("CDS", 1 + 300 * i, 90 + 300 * i, f"ID=c;Parent={p}", phase=0) for i, p in enumerate("ghg")]
    with pytest.raises(DataError, match=r"GFF3-017.*line 8.*'c'"):
        read(HEAD + "".join(rows))


@pytest.mark.parametrize("above", ["gene", "mRNA"])
def test_a_cds_may_have_the_id_of_its_parent(read, above):
    rows = [gff3(above, 1, 400, "ID=x;product=y"), gff3("CDS", 1, 100, "ID=x;Parent=x", phase=0)]
    (gene,) = read(HEAD + "".join(rows) + gff3("CDS", 301, 350, "ID=x;Parent=x", phase=2))[0].genes
    assert gene.product == "y" and len(gene.parts) == 2


def test_a_second_place_of_a_gene_keeps_its_rows_to_itself(read):
    """A copy that has the ids of the gene: gene, mRNA, exon and CDS rows stand twice."""
    text = "".join(
        gff3("gene", low, low + 299, "ID=g") + gff3("mRNA", low, low + 299, "ID=t;Parent=g")
        + gff3("exon", low, low + 99, "Parent=t") + gff3("exon", low + 200, low + 299, "Parent=t")
        + gff3("CDS", low + 9, low + 99, "ID=p;Parent=t", phase=0)
        + gff3("CDS", low + 200, low + 252, "ID=p;Parent=t", phase=2)
        for low in (1, 5001)
    )  # fmt: skip
    annotation, _ = read(HEAD + text)
    assert parts(annotation) == [((9, 100), (200, 253)), ((5009, 5100), (5200, 5253))]
    assert annotation.genes[0].exons == ((0, 100), (200, 300))
    assert len(choose_isoforms(annotation.genes)) == 2


@pytest.mark.parametrize("other", ["+", "-"])
def test_a_transcript_id_at_two_places_is_two_genes(read, other):
    rows = [gtf("CDS", 1, 100, "t", phase=0), gtf("CDS", 201, 250, "t", phase=2), gtf("stop_codon", 251, 253, "t")]
    if other == "+":
        rows += [gtf("CDS", 3001, 3100, "t", phase=0), gtf("CDS", 3201, 3250, "t", phase=2)]
        rows += [gtf("stop_codon", 3251, 3253, "t")]
    else:
        rows += [gtf("CDS", 3001, 3100, "t", "g", "-", 1), gtf("CDS", 3201, 3250, "t", "g", "-", 0)]
        rows += [gtf("stop_codon", 2998, 3000, "t", "g", "-")]
    annotation, counts = read("".join(rows))
    assert [gene.length_bp for gene in annotation.genes] == [153, 153] and counts == {"GTF-101": 1}
    assert [gene.strand for gene in annotation.genes] == ["+", other]


def test_two_equal_exons_of_one_transcript_stay_one_gene_where_start_codons_tell(read):
    rows = [
        gtf("start_codon", 1, 3, "t", phase=0),
        gtf("CDS", 1, 120, "t", phase=0),
        gtf("CDS", 301, 420, "t", phase=0),
    ]
    annotation, counts = read("".join(rows) + gtf("stop_codon", 421, 423, "t"))
    assert parts(annotation) == [((0, 120), (300, 423))] and not counts


def test_a_transcript_on_both_strands_that_is_no_pair_of_frames_is_trans_spliced(read):
    annotation, counts = read(gtf("CDS", 1, 100, "t", phase=0) + gtf("CDS", 301, 350, "t", "g", "-", 2))
    assert annotation.genes[0].trans_spliced and counts == {"GTF-102": 1}


def test_a_cds_id_at_two_places_without_parents_is_two_genes(read):
    annotation, counts = read(HEAD + gff3("CDS", 1, 99, "ID=c", phase=0) + gff3("CDS", 5001, 5099, "ID=c", phase=0))
    assert len(annotation.genes) == 2 and counts == {"GFF3-109": 1}


def test_rows_further_apart_than_any_intron_are_no_one_gene(read):
    far = gff3("CDS", 700001, 700060, "ID=c", phase=0)
    assert len(read("##gff-version 3\n" + gff3("CDS", 1, 99, "ID=c", phase=0) + far)[0].genes) == 2


def test_a_trans_spliced_gene_in_parts_stays_one(read):
    rows = [
        gff3("gene", low, low + 99, f"ID=g;part={i}/2", st) for i, (low, st) in enumerate(((1, "+"), (501, "-")), 1)
    ]
    rows += [
        gff3("CDS", low, low + 99, "ID=c;Parent=g;exception=trans-splicing", st, 0)
        for low, st in ((1, "+"), (501, "-"))
    ]
    (gene,) = read(HEAD + "".join(rows))[0].genes
    assert gene.trans_spliced and len(gene.parts) == 2


@pytest.mark.parametrize("line", ["##FASTA_header of the run", "##FASTQ", "# ##FASTA", "##fasta", "#>c"])
def test_a_comment_that_begins_like_the_directive_ends_nothing(read, line):
    text = gff3("CDS", 1, 90, "ID=a", phase=0) + line + "\n" + gff3("CDS", 201, 290, "ID=b", phase=0)
    assert len(read(HEAD + text)[0].genes) == 2


@pytest.mark.parametrize("line", ["##FASTA", "##FASTA  ", ">c"])
def test_the_directive_and_a_record_end_the_rows(read, line):
    assert len(read(HEAD + gff3("CDS", 1, 90, "ID=a", phase=0) + line + "\nACGT\n")[0].genes) == 1


def test_gff3_lines_without_a_place_are_counted(read):
    text = (
        "##sequence-region e\n##sequence-region f 1 x\n" + gff3("gene", 0, 0, "ID=g") + gff3("exon", 0, 0, "Parent=g")
    )
    annotation, counts = read(HEAD + text + gff3("CDS", 1, 90, "ID=a", phase=0))
    assert counts == {"GFF3-110": 2, "GFF3-111": 2} and len(annotation.genes) == 1
    assert annotation.contigs == ["c", "d", "e", "f"]
    with pytest.raises(DataError, match=r"GFF3-007.*0\.\.0"):
        read(HEAD + gff3("CDS", 0, 0, "ID=a", phase=0))


def test_attributes_that_come_twice(read):
    text = gff3("mRNA", 1, 90, "ID=t1") + gff3("mRNA", 1, 120, "ID=t2")
    rows = gff3("CDS", 1, 90, "Parent=t1;Parent=t2;Dbxref=A:1;Dbxref=B:2;note=x;note=y", phase=0)
    (gene,) = read(HEAD + text + rows)[0].genes
    assert gene.attributes["db_xref"] == "A:1,B:2" and gene.id == "t1"
    with pytest.raises(DataError, match=r"GFF3-018.*line 4.*'product'"):
        read(HEAD + gff3("CDS", 1, 90, "ID=a;product=x;product=y", phase=0))


def test_an_odd_is_circular_is_counted(read):
    annotation, counts = read(HEAD + gff3("region", 1, 9000, "ID=r;Is_circular=yes"))
    assert counts == {"GFF3-112": 1} and not annotation.circular


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize("rows", [((8971, 9060),), ((1, 60), (8971, 9000)), ((8971, 9000), (1, 60))])
def test_a_gene_over_an_origin_that_nobody_marks_makes_its_sequence_circular(read, strand, rows):
    text = "".join(gff3("CDS", *row, "ID=a", strand, 0) for row in rows)
    annotation, counts = read(HEAD + text)
    assert parts(annotation) == [((8970, 9060),)] and annotation.circular == {"c"} and counts == {"ANNOTATION-101": 1}


def test_a_gene_from_end_to_end_in_no_frame_over_an_origin_is_linear_and_said(read):
    text = gff3("CDS", 1, 61, "ID=a", phase=0) + gff3("CDS", 8971, 9000, "ID=a", phase=2)
    annotation, counts = read(HEAD + text)
    assert parts(annotation) == [((0, 61), (8970, 9000))] and counts == {"ANNOTATION-102": 1}


@pytest.mark.parametrize("gap_bp", [-4, -1, 1, 12])
@pytest.mark.parametrize("write", [gff3, gtf])
def test_a_shift_of_the_frame_without_mark_is_masked_and_counted(read, gap_bp, write):
    codes = encode_bases("ATG" + 60 * "C" + "TAA" + 60 * "C")
    first = 30
    ends = ((1, first), (first + 1 + gap_bp, 66))
    text = HEAD if write is gff3 else ""
    text += "".join(write("CDS", *span, "ID=a" if write is gff3 else "t", phase=0) for span in ends)
    (gene,) = read(text)[0].genes
    assert gene.is_shifted and label_tracks(codes, [gene], genetic_code=11)[1] == {"gap too short for an intron": 1}


def test_parts_that_touch_are_one(read):
    annotation, _ = read(HEAD + gff3("CDS", 1, 30, "ID=a", phase=0) + gff3("CDS", 31, 90, "ID=a", phase=0))
    assert parts(annotation) == [((0, 90),)] and annotation.genes[0].is_simple


def test_a_gene_that_begins_inside_a_codon_lacks_its_start(read):
    assert read(HEAD + gff3("CDS", 1, 90, "ID=a", phase=2))[0].genes[0].partial_5


def test_percent_signs_of_gtf_mean_themselves(read):
    (gene,) = read(gtf("CDS", 1, 90, "t%41", "50%25", phase=0, contig="a%20b"))[0].genes
    assert (gene.contig, gene.id, gene.attributes["gene_id"]) == ("a%20b", "t%41", "50%25")


def test_cds_features_of_one_locus_tag_for_each_exon_are_one(read):
    exons = [*cds("1..20", 'locus_tag="L1"'), *cds("36..78", 'locus_tag="L1"')]
    annotation, counts = read(genbank(exons))
    assert parts(annotation) == [((0, 20), (35, 78))] and counts["GENBANK-104"] == 1


@pytest.mark.parametrize("one", ['gene="his3"', 'locus_tag="L1"'])
def test_copies_of_a_gene_with_its_name_or_tag_stay_apart(read, one):
    text = genbank([*cds("1..63", one), *cds("64..78", one)])
    bases = "atg" + 19 * "cca" + "taa" + "atgccaccaccataa" + 42 * "c"
    text = text[: text.index("ORIGIN")] + f"ORIGIN\n        1 {bases[:60]}\n       61 {bases[60:]}\n//\n"
    assert parts(read(text)[0]) == [((0, 63),), ((63, 78),)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (genbank([], "NODE_12_length_1950_cov_7.3120 bp   DNA linear"), "name, length and molecule must be separated"),
        (genbank(cds("1..63"), origin=False), "has no sequence"),
    ],
)
def test_what_is_wrong_with_a_flat_file_is_said_in_words_of_the_format(read, text, message):
    with pytest.raises(DataError, match=f"GENBANK-001.*record 1.*{message}"):
        read(text)


def test_values_of_gtf_may_lack_quotes(read):
    assert read("c\tx\tCDS\t1\t90\t.\t+\t0\tgene_id g; transcript_id t;\n")[0].genes[0].id == "t"


def test_a_real_embl_file_has_its_genes_and_bases(data_dir):
    path = data_dir / "more/genomes_bacteria/Streptococcus_pneumoniae_Spn23F.embl.gz"
    annotation, (record,) = read_annotation(path), read_records(path)
    assert annotation.circular == {record.id} and len(record) == annotation.contig_lengths[record.id] == 2221315
    _, masked = label_tracks(record.codes, annotation.genes, genetic_code=11, circular=True)
    assert len(annotation.genes) == 2134 and masked == {"pseudogene": 144, "joined": 1}


def test_columns_between_spaces_are_named_with_their_line(read):
    with pytest.raises(DataError, match=r"GFF3-004.*line 2: columns are separated by spaces"):
        read("\n" + gtf("CDS", 1, 90, "t", phase=0).replace("\t", "    "))
