"""Secondary structure of proteins from their coding sequences."""
