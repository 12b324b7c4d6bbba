"""Numbers from records, without Markdown and without Matplotlib."""
