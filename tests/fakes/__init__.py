"""A fake backend in NumPy, and variants with faults; a worker imports it as `fakes.adapter`."""
