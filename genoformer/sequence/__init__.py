"""Bases, records, FASTA, k-mers and tiles."""
