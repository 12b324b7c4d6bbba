"""Compare the settings of two cells: what differs, and what forbids comparing their times."""

from collections.abc import Iterator, Mapping, Sequence

from reports.results.cells import CellResults
from reports.results.settings import Values, format_values

# with another precision or other equations another result is computed: a ratio of times does not
# say which framework is faster
REFUSED = (
    *("precision", "dtype", "tf32_matmul", "tf32_convolution"),
    *("optimizer_equations", "optimizer_epsilon", "metrics_in_step"),
)
# the same result, computed in another way
MATTERS = (
    *("compiled", "graph_breaks", "threads_intra", "threads_inter", "cudnn_benchmark", "onednn"),
    *("optimizer_fused",),
)


def differences(
    first: Mapping[str, Values], other: Mapping[str, Values], names: Sequence[str]
) -> Iterator[str]:
    """Yield `compiled: False, graph` for each name whose values differ between the two.

    A name that only one side has is left out. Values are sets: their order does not count.
    """
    for name in names:
        if name in first and name in other and first[name] != other[name]:
            yield f"{name}: {format_values(first[name])}, {format_values(other[name])}"


def notes(first: CellResults, second: CellResults) -> str:
    """Return the differences that do not forbid the comparison; empty if there are none."""
    return "; ".join(differences(first.settings, second.settings, MATTERS))


def refusal(first: CellResults, second: CellResults) -> str | None:
    """Return why these two cells may not be compared; None if they may."""
    failures = [
        f"a training of {results.name} failed"
        for results in (first, second)
        if results.has_failed_training
    ]
    return "; ".join([*failures, *differences(first.settings, second.settings, REFUSED)]) or None
