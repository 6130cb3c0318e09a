"""Gene models: readers, writers, label tracks and genetic codes."""
