"""What students learn where targets are written word by word: sequence-to-sequence models."""
