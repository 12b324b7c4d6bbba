"""One section of the report per file: Markdown blocks from results."""
