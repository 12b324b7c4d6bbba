"""Records in, Markdown and figures out. Imports no framework, no runner and no backend.

Every number here is derived from the records of one run, and the same records give the same text.
"""
