"""Simple models of whole sequences, to be shown beside every score."""
