"""Base pairs of RNA."""
