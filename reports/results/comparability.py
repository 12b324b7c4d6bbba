"""Compare the settings of two cells: what differs, and what forbids to compare their times."""

from collections.abc import Iterator, Mapping, Sequence

from reports.results.cells import CellResults
from reports.results.settings import Values, printed

# another precision or other equations are another computation: no ratio of times then says which
# framework is faster
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
    first: Mapping[str, Values], other: Mapping[str, Values], names: Sequence[str]
) -> Iterator[str]:
    """List `compiled: False, graph` for each name that both have with different sets of values.

    The order of the values in a set never differs: it is only the order of the trials.
    """
    for name in names:
        if name in first and name in other and first[name] != other[name]:
            yield f"{name}: {printed(first[name])}, {printed(other[name])}"


def notes(first: CellResults, second: CellResults) -> str:
    """Return the differences that do not forbid the comparison; empty if there are none."""
    return "; ".join(differing(first.settings, second.settings, MATTERS))


def refusal(first: CellResults, second: CellResults) -> str | None:
    """Return why these two may not be compared; None if they may."""
    failed = [f"a training of {one.name} failed" for one in (first, second) if one.failed_training]
    return "; ".join([*failed, *differing(first.settings, second.settings, REFUSED)]) or None
