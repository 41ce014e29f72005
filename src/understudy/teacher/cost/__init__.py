"""What asking costs: reckoned before, kept within the budget, entered after."""
