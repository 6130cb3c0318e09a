"""Attention: one file for each architecture, and one for each way to compute a window."""
