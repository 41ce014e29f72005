"""The small models: each learns from a mixture, predicts with a confidence, and lives in a folder without pickles."""
