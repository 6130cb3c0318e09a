"""From per-base outputs to genes."""
