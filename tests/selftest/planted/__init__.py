"""Planted effects, which are linked into a worker's path with `bench` and `backends`."""
