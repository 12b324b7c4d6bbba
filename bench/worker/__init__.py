"""One trial or one pilot, inside its process: the only importer of a backend.

Needs the standard library, NumPy and the backend's framework, nothing else. `python -m
bench.worker` takes its job as JSON on standard input and sends JSON lines on a pipe of its own:
`{"event": "phase" | "epoch", ...}` on the way, `{"event": "result", ...}` last. Standard output
and error are the log's.
"""
