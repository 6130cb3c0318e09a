"""Classes, terms or numbers of whole sequences."""
