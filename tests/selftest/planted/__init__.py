"""Effects planted on purpose; linked into a worker's path beside `bench` and `backends`."""
