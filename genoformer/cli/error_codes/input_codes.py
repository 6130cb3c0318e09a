"""Codes of files that are read: sequences, annotations, intervals, structures, ontologies."""

from genoformer.cli.error_codes.entry import Entry

INPUT_PREFIXES = {
    "FASTA": "files with sequences",
    "FILE": "text files of any format",
    "INPUT": "several inputs together",
    "ANNOTATION": "which format an annotation has",
    "GFF3": "annotations in GFF3, and the nine columns that GTF shares with it",
    "GTF": "annotations in GTF",
    "GENBANK": "GenBank and EMBL files",
    "CODE": "genetic codes",
    "SEQID": "sequence ids of an annotation and of its FASTA file",
    "BED": "intervals in BED files",
    "HINTS": "hints about genes",
    "PAIRS": "base pairs of RNA",
    "CONTACTS": "residue contacts from PDB and mmCIF files",
    "OBO": "ontologies",
}

INPUT_CODES = {
    "FASTA-001": Entry(66, "There is no such file.", "Check the path."),
    "FASTA-002": Entry(65, "The file cannot be read.", "Give a readable FASTA file, not a folder."),
    "FASTA-003": Entry(65, "The file is no FASTA file.", "Give a FASTA file of DNA or RNA."),
    "FASTA-004": Entry(65, "The file is empty.", "Download or export it again."),
    "FASTA-005": Entry(65, "A record has no sequence.", "Download the file again, or use --on-bad-record skip."),
    "FASTA-006": Entry(
        65, "A header has no id that can be used.", "Write the id next to “>”, or use --on-bad-record skip."
    ),
    "FASTA-007": Entry(65, "Two records have one id.", "Give each record its own id, or use --on-bad-record skip."),
    "FASTA-008": Entry(
        65, "A letter is none of DNA or RNA.", "Correct it, write N for an unknown base, or use --on-bad-record skip."
    ),
    "FASTA-009": Entry(65, "A compressed file is cut off.", "Download or copy it again."),
    "FASTA-010": Entry(65, "Compressed data are damaged.", "Download or compress the file again."),
    "FASTA-011": Entry(65, "Every record is bad and was left out.", "See the warnings."),
    "FASTA-012": Entry(
        65, "A comment is longer than 1 MiB, or millions of comments follow each other.", "Give the right file, whole."
    ),
    "FASTA-101": Entry(None, "A byte order mark at the start was left out.", "Nothing."),
    "FASTA-102": Entry(None, "A bad record was left out, as --on-bad-record skip asks.", "Mend the record."),
    "FASTA-103": Entry(None, "A record is N only.", "Check that this is the file that you mean."),
    "FASTA-104": Entry(None, "A comment line (“;”) was left out.", "Nothing."),
    "FASTA-105": Entry(None, "A header is not UTF-8 and was read as Latin-1.", "Save the file as UTF-8."),
    "FASTA-106": Entry(None, "Position numbers in the sequence were left out.", "Nothing."),
    "FASTA-107": Entry(None, "Gaps (“-”) were read as N.", "Give the sequence itself, not an alignment."),
    "FASTA-108": Entry(None, "A “*” at the end of a record was left out.", "Nothing, unless these are proteins."),
    "FILE-001": Entry(66, "There is no such file.", "Check the path."),
    "FILE-002": Entry(65, "The file cannot be read.", "Give a readable file, not a folder."),
    "FILE-003": Entry(65, "A compressed file is cut off or damaged.", "Download or copy it again."),
    "FILE-004": Entry(65, "The file is not UTF-8 text.", "Save it as UTF-8, or give the right file."),
    "FILE-005": Entry(65, "An input is a device.", "Give a file, or - for standard input."),
    "FILE-006": Entry(
        65,
        "A line is longer than any that is read: 16 MiB, in tables, VCF and dot-bracket 64 MiB.",
        "Give the right file, whole.",
    ),
    "FILE-007": Entry(
        65, "Millions of comments or empty lines follow each other.", "Give the right file, whole; remove comments."
    ),
    "FILE-020": Entry(66, "A file cannot be reached: too long a name, a loop of links, no rights.", "Check the path."),
    "FILE-021": Entry(66, "The name of an input is no UTF-8 text.", "Rename the file, or give a link to it."),
    "INPUT-001": Entry(65, "A record id is in two of the input files.", "Give every record its own id."),
    "INPUT-002": Entry(2, "Standard input (“-”) is named twice.", "Name it once."),
    "INPUT-003": Entry(2, "Ids have a column, but sequences have none.", "Give --sequence-column."),
    "INPUT-004": Entry(65, "A table has two rows with one id.", "Make ids unique, or leave out --id-column."),
    "INPUT-005": Entry(65, "A table lacks a column, or cannot be read.", "Name one of its columns."),
    "INPUT-006": Entry(65, "A cell of a table is no sequence, or no id.", "Correct the row that is named."),
    "ANNOTATION-001": Entry(65, "The file is empty.", "Give GFF3, GTF, GenBank or EMBL."),
    "ANNOTATION-002": Entry(
        65, "The file is of a format that holds no annotation.", "Give GFF3, GTF, GenBank or EMBL."
    ),
    "ANNOTATION-003": Entry(65, "No gene has the source that was asked for.", "Check --source."),
    "ANNOTATION-004": Entry(
        65, "A gene is longer than any: 10 million coding bases, or 1,000 million in all.", "Correct its coordinates."
    ),
    "ANNOTATION-101": Entry(
        None, "A gene runs over the end of its sequence, which was read as circular.", "Mark it with Is_circular=true."
    ),
    "ANNOTATION-102": Entry(
        None,
        "A gene touches both ends of its sequence, and reads in no frame over an origin.",
        "Is the sequence circular? Then say so, and correct the phases.",
    ),
    "ANNOTATION-103": Entry(
        None,
        "There are rows of genes or transcripts, but none of type CDS: no gene was read.",
        "Give an annotation with CDS rows; TransDecoder or gffread make them.",
    ),
    "GFF3-002": Entry(65, "The file says that it is another version of GFF.", "Convert it to GFF3."),
    "GFF3-004": Entry(65, "A row has not nine columns.", "Separate nine columns by tabs."),
    "GFF3-005": Entry(65, "A row has no sequence id or no feature type.", "Fill columns 1 and 3."),
    "GFF3-006": Entry(65, "A coordinate is no whole number.", "Correct columns 4 and 5."),
    "GFF3-007": Entry(65, "A row starts below 1 or behind its end.", "Give the lower end first, on both strands."),
    "GFF3-008": Entry(65, "A strand is not +, -, “.” or “?”.", "Correct column 7."),
    "GFF3-009": Entry(65, "A phase is not 0, 1, 2 or “.”.", "Correct column 8."),
    "GFF3-010": Entry(65, "A score is no number.", "Correct column 6; “.” means no score."),
    "GFF3-011": Entry(65, "Attributes are written as in GTF.", "Convert the file to GFF3."),
    "GFF3-012": Entry(65, "Attributes are not NAME=VALUE.", "Encode a literal “;” as %3B and “=” as %3D."),
    "GFF3-013": Entry(65, "A feature is its own ancestor.", "Correct the Parent attributes."),
    "GFF3-014": Entry(65, "A CDS row has no strand.", "Write + or - in column 7."),
    "GFF3-015": Entry(65, "A transl_table is no number.", "Write the NCBI number of the genetic code."),
    "GFF3-016": Entry(65, "A gene lies behind the end of its sequence.", "Correct ##sequence-region."),
    "GFF3-017": Entry(
        65,
        "CDS rows of one ID alternate between parents: ID and Parent contradict each other.",
        "Give each CDS an ID of its own.",
    ),
    "GFF3-018": Entry(65, "An attribute with one value is given twice.", "Write it once."),
    "GFF3-101": Entry(None, "The first line is not ##gff-version 3.", "Nothing."),
    "GFF3-102": Entry(None, "A Parent is not in the file.", "Check that the file is complete."),
    "GFF3-103": Entry(None, "CDS rows of a transcript have an ID each and were read as one CDS.", "Nothing."),
    "GFF3-104": Entry(None, "One CDS on both strands was read as trans-spliced.", "Check the strands."),
    "GFF3-106": Entry(
        None, "Both ends of a gene count as missing: partial=true does not say which.", "Add start_range or end_range."
    ),
    "GFF3-107": Entry(None, "A CDS row without phase was read as phase 0.", "Write the phase."),
    "GFF3-108": Entry(None, "A pseudogene without strand was read as +.", "Write the strand."),
    "GFF3-109": Entry(None, "CDS of one ID lie at several places; each is a gene.", "Give each an ID of its own."),
    "GFF3-110": Entry(
        None,
        "A ##sequence-region line is malformed; no length was taken from it.",
        "Write ##sequence-region ID START END.",
    ),
    "GFF3-111": Entry(
        None, "A row that is no CDS begins at base 0; it was left out.", "Give it its place, or delete it."
    ),
    "GFF3-112": Entry(None, "Is_circular is neither true nor false; it was not looked at.", "Write Is_circular=true."),
    "GTF-001": Entry(65, "A row has no transcript_id.", "Write transcript_id."),
    "GTF-002": Entry(65, "Attributes are malformed.", 'Write NAME "VALUE"; for each.'),
    "GTF-003": Entry(65, "A CDS row has no strand.", "Correct column 7."),
    "GTF-004": Entry(65, "A gene_id or transcript_id is given twice in a row.", "Write it once."),
    "GTF-101": Entry(
        None, "A transcript_id stands at several places; each is a gene.", "Give each a transcript_id of its own."
    ),
    "GTF-102": Entry(None, "One CDS on both strands was read as trans-spliced.", "Check the strands."),
    "GENBANK-001": Entry(65, "A record cannot be parsed.", "Download the file again."),
    "GENBANK-002": Entry(65, "Two records have one id.", "Keep one of them."),
    "GENBANK-003": Entry(65, "A record holds no nucleotide sequence.", "Use records of DNA or RNA."),
    "GENBANK-004": Entry(65, "A record comes without its sequence.", "Download it with its sequence, or give FASTA."),
    "GENBANK-005": Entry(65, "The file holds no record.", "Give a GenBank or EMBL file."),
    "GENBANK-006": Entry(65, "A qualifier with a number is out of range.", "Correct the qualifier."),
    "GENBANK-007": Entry(
        65, "Comments and references of a record are more than 256 MiB.", "Give the right file, whole."
    ),
    "GENBANK-101": Entry(None, "Biopython warns of a record.", "Look at the record."),
    "GENBANK-102": Entry(None, "The place of a feature cannot be read; it was left out.", "Correct the place."),
    "GENBANK-103": Entry(
        None, "A CDS runs over the end of a record, which was read as circular.", "Say “circular” in the LOCUS line."
    ),
    "GENBANK-104": Entry(None, "CDS features of one locus tag, one for each exon, were read as one CDS.", "Nothing."),
    "CODE-001": Entry(2, "There is no genetic code of this number.", "Give an NCBI number that the message lists."),
    "CODE-002": Entry(2, "A model of genes with introns does not look for the genetic code.", "Give its number."),
    "SEQID-001": Entry(
        65,
        "Ids of an annotation match none, or several, of the FASTA ids or of those of the reference.",
        "Give a table of ids with --seqid-map.",
    ),
    "SEQID-002": Entry(
        65, "Two ids of the annotation mean one FASTA sequence.", "Give a table of ids with --seqid-map."
    ),
    "SEQID-003": Entry(65, "A line of the table of ids has not two columns.", "Separate two ids by a tab."),
    "SEQID-004": Entry(65, "An id comes twice in the table of ids.", "Keep one of the lines."),
    "SEQID-101": Entry(
        None,
        "An annotation names sequences that the FASTA file does not hold; they were left out.",
        "Nothing, if the FASTA file is of a part of the genome; else give a table of ids with --seqid-map.",
    ),
    "BED-001": Entry(65, "A line has fewer than three columns.", "Write contig, start and end, separated by tabs."),
    "BED-002": Entry(65, "A coordinate is no whole number of 0 or more.", "Correct columns 2 and 3."),
    "BED-003": Entry(65, "An interval ends before its start.", "Give the lower end first, on both strands."),
    "BED-004": Entry(
        65, "An interval ends beyond its record.", "Use the same assembly; give two intervals over an origin."
    ),
    "BED-005": Entry(65, "No contig of the file is a record of the input.", "Use the ids of the FASTA file."),
    "BED-006": Entry(None, "A contig is no record of the input; its rows do not count.", "Nothing, or mend the ids."),
    "HINTS-001": Entry(65, "A line of hints has too few columns.", "Separate nine columns by tabs."),
    "HINTS-002": Entry(65, "A hint has no place or no strand.", "Count from 1; the strand is +, - or a point."),
    "HINTS-003": Entry(65, "A hint ends beyond its record.", "Use the same assembly."),
    "HINTS-004": Entry(65, "No contig of the hints is a record of the input.", "Use the ids of the FASTA file."),
    "HINTS-005": Entry(2, "Hints are for genes with introns.", "Take such a model, or leave --hints out."),
    "HINTS-101": Entry(None, "A contig of hints is no record of the input.", "Nothing, or mend the ids."),
    "HINTS-102": Entry(None, "A kind of hint is not used.", "Nothing."),
    "PAIRS-001": Entry(65, "Two structures have one id.", "Make ids unique."),
    "PAIRS-002": Entry(2, "The ending of a file is none of base pairs.", "Rename it as what it is."),
    "PAIRS-003": Entry(65, "A structure is malformed, or does not fit its bases.", "Correct the structure."),
    "PAIRS-004": Entry(
        2, "The package ViennaRNA is not installed, which the prior needs.", 'pip install "genoformer[structure]"'
    ),
    "PAIRS-101": Entry(None, "A sequence is longer than the model takes and was left out.", "Raise max_bp."),
    "CONTACTS-001": Entry(65, "A file holds no protein structure.", "Give a PDB or mmCIF file."),
    "CONTACTS-002": Entry(65, "A structure has no such chain, or it has no residues.", "Name another chain."),
    "CONTACTS-003": Entry(65, "A structure does not fit its sequence.", "Give the structure of this protein."),
    "CONTACTS-004": Entry(65, "A label is not FILE:CHAIN.", "Write the file of the structure and its chain."),
    "CONTACTS-005": Entry(
        65, "A coding sequence is no whole number of codons.", "Give it in frame, without extra bases."
    ),
    "CONTACTS-006": Entry(65, "A structure file is longer than 128 MiB.", "Give the file of this chain alone."),
    "CONTACTS-101": Entry(None, "A sequence is longer than the model takes and was left out.", "Raise max_bp."),
    "OBO-001": Entry(65, "The file cannot be read as OBO, or has no term.", "Give an OBO file, such as go-basic.obo."),
    "OBO-002": Entry(65, "A term comes twice.", "Keep one of them."),
    "OBO-003": Entry(
        65, "Terms imply each other in a circle.", "Remove one of the lines; go-basic.obo has no circles."
    ),
}
"""Prefix by prefix, errors before warnings."""
