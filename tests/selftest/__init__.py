"""Measuring the measuring: `nox -s selftest -- aa | effect | contention`."""
