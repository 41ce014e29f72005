"""What a student is trained on, in which order, and the loop that does it."""
