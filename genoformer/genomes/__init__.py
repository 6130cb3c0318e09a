"""Genomes for training: stores of bases and labels, their splits, and genomes that are made up."""
