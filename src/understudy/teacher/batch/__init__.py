"""Asking by batch: request files, their output, and a live Batch API."""
