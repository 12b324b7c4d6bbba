"""What was in force in two cells that are compared: what differs, and what forbids to compare."""

from collections.abc import Iterator, Mapping, Sequence

from reports.results.cells import CellResults

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
    one: Mapping[str, str], other: Mapping[str, str], names: Sequence[str]
) -> Iterator[str]:
    """`compiled: False, graph` for each of these names that both have with other values."""
    for name in names:
        if name in one and name in other and one[name] != other[name]:
            yield f"{name}: {one[name]}, {other[name]}"


def notes(first: CellResults, second: CellResults) -> str:
    """What differs and does not forbid the comparison; nothing where nothing does."""
    return "; ".join(differing(first.settings, second.settings, MATTERS))


def refusal(first: CellResults, second: CellResults) -> str | None:
    """Why these two may not be compared; None where they may."""
    failed = [f"a training of {one.name} failed" for one in (first, second) if one.failed_training]
    return "; ".join([*failed, *differing(first.settings, second.settings, REFUSED)]) or None
