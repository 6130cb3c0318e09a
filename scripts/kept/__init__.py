"""Parts of ``scripts/kept_outputs.py``: inputs, commands, how they are run, and how two folders are compared."""
