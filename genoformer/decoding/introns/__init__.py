"""From per-base outputs to genes with introns: one best path over both strands, found while the record streams."""
