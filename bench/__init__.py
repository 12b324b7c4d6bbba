"""samestep: one workload, two frameworks, the same step: proved first, timed second.

This package is the harness. It imports no framework, ever: a trial runs in a process of its own,
whose worker (`bench.worker`) is the only importer of a backend.
"""

__version__ = "0.1.0"
