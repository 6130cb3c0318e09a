"""Genes without introns, from FASTA to files and scores."""
