"""Parity: the rungs that a cell climbs, their gates, and the oracle's side of every comparison.

Everything is compared with `bench.parity.oracle`, never with another framework.
Needs only the standard library and NumPy, for it runs in the workers.
"""
