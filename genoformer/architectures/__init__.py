"""Architectures of attention side by side: what they learn in the same time, and what they cost."""
