"""Parity: the rungs that a cell climbs, their gates, and the oracle's side of every comparison.

Everything is compared with `bench.oracle`, never with the framework that happened to run first.
Needs only the standard library and NumPy, for it runs in the workers.
"""
