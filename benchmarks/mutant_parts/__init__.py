"""Parts of ``benchmarks/mutants.py``."""
