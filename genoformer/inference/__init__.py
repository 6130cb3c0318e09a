"""Running bundles on FASTA files."""
