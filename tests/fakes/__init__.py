"""A backend in NumPy and its misbehaving relatives; a worker imports it as `fakes.adapter`."""
