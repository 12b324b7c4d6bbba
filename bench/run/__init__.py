"""The parent: plans a run, starts worker processes one at a time, and keeps their records."""
