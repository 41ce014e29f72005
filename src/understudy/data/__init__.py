"""Reading, checking, cleaning and splitting texts."""
