"""Studies: a grid of students, mixtures, seeds and sizes over one recipe, and what can honestly be said of it."""
