"""Language models of bases, to start other tasks from."""
