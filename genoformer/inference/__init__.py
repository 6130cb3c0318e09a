"""Running bundles on files of sequences."""
