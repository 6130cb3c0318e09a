"""Labels of whole sequences: where they are read, what they imply, numbers, and parts."""
