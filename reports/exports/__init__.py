"""A run's results in other formats than the report."""
