"""Variants of a genome: VCF read and written, what they do to genes, and the course of the command."""
