"""One figure per file: its file names and their bytes."""
