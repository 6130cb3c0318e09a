"""The Longformer: torch only, no files, no Lightning."""
