"""What the throughput benchmark runs, each a script for the interpreter of its own environment."""
