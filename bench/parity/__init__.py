"""Parity: the rungs that a cell must pass, their gates, and the oracle's side of every comparison.

Every value is compared with `bench.parity.oracle`, never with another framework. The room needs
only the standard library and NumPy, because it runs in the workers.
"""
