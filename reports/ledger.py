"""What was in force in two cells that are compared: what differs, and what forbids to compare."""

from collections.abc import Iterator, Sequence

from reports.cells import CellResults

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


def differing(
    first: CellResults, second: CellResults, names: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Name and both values of each of these settings that both cells have and that differ."""
    one, other = first.settings, second.settings
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
