"""What was asked for against what is in force, as the backend reads it back."""

from collections.abc import Iterator, Mapping

from bench.errors import ParityError
from bench.spec import Execution, Workload

# whose equations an execution's optimizer computes
EQUATIONS = {"matched": "keras", "stock": "framework"}


def require_in_force(
    execution: Execution, workload: Workload, settings: Mapping[str, object]
) -> None:
    """Raise `ParityError` for the first setting that was asked for and has another value."""
    for name, wanted in asked_for(execution, workload):
        if settings.get(name) != wanted:
            raise ParityError(
                f"setting {name} is not what was asked for. Expected: {wanted}. "
                f"Received: {settings.get(name)}"
            )


def asked_for(execution: Execution, workload: Workload) -> Iterator[tuple[str, object]]:
    yield "device", execution.device
    yield "precision", execution.precision
    yield "optimizer_equations", EQUATIONS[execution.optimizer]
    yield "optimizer_epsilon", workload.optimizer.epsilon
    if execution.threads is not None:
        yield "threads_intra", execution.threads


def require_compiled(execution: Execution, settings: Mapping[str, object]) -> None:
    """Raise `ParityError` where a mode that compiles ran without it; known when it has run."""
    if execution.mode != "default" and not settings.get("compiled"):
        raise ParityError(
            f"mode {execution.mode!r} ran without a compiled program. Expected: one. "
            f"Received: {settings.get('compiled')}"
        )
