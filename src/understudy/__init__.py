"""Understudy trains a small model to stand in for a large one."""
