"""One figure per file: PNG bytes and their file names."""
