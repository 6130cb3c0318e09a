"""Model bundles that are installed with the package."""
