"""Residue contacts from coding sequences."""
