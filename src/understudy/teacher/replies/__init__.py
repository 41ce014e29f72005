"""What was ever answered: kept, found again, recorded, looked after."""
