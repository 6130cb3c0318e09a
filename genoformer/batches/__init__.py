"""Crops from the store, made into batches."""
