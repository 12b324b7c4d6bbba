"""samestep: one workload, several frameworks, the same step: proved first, timed second.

This package is the harness. It never imports a framework: each trial runs in a process of its own,
and the worker in it (`bench.worker`) is the only importer of a backend.
"""

__version__ = "0.1.0"
