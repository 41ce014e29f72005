"""What students learn where targets are spans: taggers of words."""
