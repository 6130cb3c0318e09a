"""The page of ``genoformer fit --help``, made beforehand: importing Lightning for it takes longer than a prediction.

The text files are parts of the page. ``scripts/help_pages.py`` makes them from the parser, and a test compares them.
"""
