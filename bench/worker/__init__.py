"""One trial or one pilot, inside its process: the only importer of a backend.

Needs the standard library, NumPy and the backend's framework, nothing else. `python -m
bench.worker` takes its task as JSON on standard input and sends events as JSON lines on a pipe of
its own; the last is the result. `bench.worker.messages` has their types. Standard output and error
are the log's.
"""
