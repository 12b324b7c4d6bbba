"""The fault matrix: tests that cause each fault that a run must survive, and check the result.

Processes, signals and files are real; if a framework would be slow, a script takes its place.
"""
