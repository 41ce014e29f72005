"""The stages of a run: each reads files of the run folder, and leaves its own there once they are whole."""
