"""What can be learned and predicted: one folder per task, with the same file names in each."""
