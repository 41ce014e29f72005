"""An OpenAI-compatible endpoint: how it is reached, spoken to, and not overrun."""
