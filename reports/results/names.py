"""The names that a reader sees: of frameworks, and of one or several workloads."""

from collections.abc import Sequence

from reports.text import plural

FRAMEWORKS = {
    "keras-tensorflow": "Keras on TensorFlow",
    "keras-jax": "Keras on JAX",
    "keras-torch": "Keras on PyTorch",
    "pytorch": "PyTorch",
    "jax": "JAX",
}

# what is timed
LANE_NAMES = {
    "native": "full training loop",
    "step": "training step",
    "latency": "step with wait",
    "tutorial": "tutorial pipeline",
}


def framework(backend: str) -> str:
    """Return the framework's name; a plug-in has its own name."""
    return FRAMEWORKS.get(backend, backend)


def networks(workloads: Sequence[str]) -> str:
    """Return the workload's name if there is one, else how many networks there are."""
    return workloads[0] if len(workloads) == 1 else plural(len(workloads), "network")
