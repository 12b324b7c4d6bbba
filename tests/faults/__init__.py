"""The fault matrix: each fault that a run must survive, made to happen, and what became of it.

Real processes, real signals, real files; where a framework would be slow, a script plays it.
"""
