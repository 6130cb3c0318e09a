"""Scores and calibration; one file per kind of truth."""
