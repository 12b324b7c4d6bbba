"""Compare the settings that were asked for with the actual ones, as the backend reports them."""

from collections.abc import Iterator, Mapping

from bench.errors import ParityError
from bench.spec import Execution, Workload

# the source of the equations that an execution's optimizer computes
EQUATIONS = {"matched": "keras", "stock": "framework"}


def require_settings(
    execution: Execution, workload: Workload, settings: Mapping[str, object]
) -> None:
    """Raise `ParityError` for the first setting whose actual value is not the one asked for."""
    for name, wanted in requested_settings(execution, workload):
        if settings.get(name) != wanted:
            raise ParityError(
                f"setting {name} is not what was asked for. Expected: {wanted}. "
                f"Received: {settings.get(name)}"
            )


def requested_settings(execution: Execution, workload: Workload) -> Iterator[tuple[str, object]]:
    """Yield the name and the value of each setting that the execution asks for."""
    yield "device", execution.device
    yield "precision", execution.precision
    yield "optimizer_equations", EQUATIONS[execution.optimizer]
    yield "optimizer_epsilon", workload.optimizer.epsilon
    if execution.threads is not None:
        yield "threads_intra", execution.threads


def require_compiled(execution: Execution, settings: Mapping[str, object]) -> None:
    """Raise `ParityError` if a mode that compiles ran uncompiled; known after the first step."""
    if execution.mode != "default" and not settings.get("compiled"):
        raise ParityError(
            f"mode {execution.mode!r} ran without a compiled program. Expected: one. "
            f"Received: {settings.get('compiled')}"
        )
