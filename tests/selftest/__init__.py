"""Tests of the measuring itself: `nox -s selftest -- aa | effect | contention`."""
