"""A bundle trained further on the genome at hand."""
