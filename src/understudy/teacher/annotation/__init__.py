"""What makes annotations better: examples shown, votes taken, probabilities read."""
