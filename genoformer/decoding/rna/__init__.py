"""Genes of rRNA and tRNA read from the sequence itself, with profiles that are learned from annotated ones."""
