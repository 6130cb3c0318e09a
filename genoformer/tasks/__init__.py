"""What can be learned: outputs, loss and scores of each task; see ``interface``."""
