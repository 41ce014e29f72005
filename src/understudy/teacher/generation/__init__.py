"""Texts that the teacher writes: what for, over which attributes, and read again."""
