"""What was in force in two cells that are compared: what differs, and what forbids to compare."""

from collections.abc import Iterator, Sequence

from bench.record import Record
from reports.cells import CellResults
from reports.text import listed

# another precision or other equations are another computation: no ratio of times says which
# framework is the faster one
REFUSED = (
    *("precision", "dtype", "tf32_matmul", "tf32_convolution"),
    *("optimizer_equations", "optimizer_epsilon", "metrics_in_step"),
)
# the same computation, done in another way
MATTERS = (
    *("compiled", "graph_breaks", "threads_intra", "threads_inter", "cudnn_benchmark", "onednn"),
    *("optimizer_fused",),
)
ALL_CORES = "all cores"


def in_force(results: CellResults) -> dict[str, str]:
    """Setting to value as the good timing trials read it back; several values in a list."""
    found: dict[str, dict[str, None]] = {}
    for record in results.good("timing"):
        for name, value in {**variables(record), **effective(record)}.items():
            found.setdefault(name, {})[str(value)] = None
    return {name: listed(values) for name, values in found.items()}


def effective(record: Record) -> dict[str, object]:
    """The settings of one trial; a number of threads that the framework left open in figures."""
    if record.settings is None:
        return {}
    cores = record.environment.cores_logical
    return {
        name: cores if value == ALL_CORES else value
        for name, value in record.settings.effective.items()
    }


def variables(record: Record) -> dict[str, str]:
    """The environment variables that steer a framework, named apart from its own settings."""
    found = record.environment.variables if record.settings is not None else {}
    return {f"variable {name}": value for name, value in found.items()}


def differing(
    first: CellResults, second: CellResults, names: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Name and both values of each of these settings that both cells have and that differ."""
    one, other = in_force(first), in_force(second)
    for name in names:
        if name in one and name in other and one[name] != other[name]:
            yield name, one[name], other[name]


def notes(first: CellResults, second: CellResults) -> str:
    """What differs and does not forbid the comparison: `compiled: False, graph`; else nothing."""
    found = differing(first, second, MATTERS)
    return "; ".join(f"{name}: {one}, {other}" for name, one, other in found)


def refusal(first: CellResults, second: CellResults) -> str | None:
    """Why these two may not be compared; None where they may."""
    found = list(differing(first, second, REFUSED))
    if not found:
        return None
    return "; ".join(f"{name}: {one}, {other}" for name, one, other in found)
