"""Structures beside sequences: base pairs as text, files of base pairs, contacts."""
