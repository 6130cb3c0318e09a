"""Text of annotations, written by hand in tests."""

HEAD = "##gff-version 3\n##sequence-region c 1 9000\n##sequence-region d 1 9000\n"


def gff3(kind, start, end, attributes, strand="+", phase=".", contig="c"):
    return "\t".join(map(str, (contig, "x", kind, start, end, ".", strand, phase, attributes))) + "\n"


def gtf(kind, start, end, transcript, gene="g", strand="+", phase=".", contig="c"):
    return gff3(kind, start, end, f'gene_id "{gene}"; transcript_id "{transcript}";', strand, phase, contig)


def genbank(features, locus="MADE1                    120 bp    DNA     linear   BCT 01-JAN-2020", origin=True):
    bases = "atg" + 19 * "cca" + "taa" + 57 * "c"
    lines = [f"LOCUS       {locus}", "ACCESSION   MADE1", "FEATURES             Location/Qualifiers", *features]
    lines += ["ORIGIN", f"        1 {bases[:60]}", f"       61 {bases[60:]}"] if origin else []
    return "\n".join([*lines, "//"]) + "\n"


def cds(place, *qualifiers):
    return [f"     CDS             {place}", *(f"                     /{text}" for text in qualifiers)]


def parts(annotation):
    return [gene.parts for gene in annotation.genes]
