"""Genes with introns; reading, files and scores are those of ``genes`` where nothing else is said."""
