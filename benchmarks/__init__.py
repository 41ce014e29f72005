"""What makes the numbers in the docs, one command each."""
