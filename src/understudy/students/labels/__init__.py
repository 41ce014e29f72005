"""What students learn where targets are labels: classifiers of whole texts."""
