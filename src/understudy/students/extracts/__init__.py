"""What students learn where targets are texts and sentences can be taken over: extractors."""
