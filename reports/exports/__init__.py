"""Export a run's results in formats other than the report."""
