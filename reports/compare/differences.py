"""What differs between the sides: plan, settings, environment variables, versions of libraries."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from reports.compare.comparison import ComparedSides
from reports.compare.pairs import ComparedCell, Results, merge
from reports.compare.protocol import flagged
from reports.results.settings import Values, format_values
from reports.results.speed import LANES
from reports.text import comma_list, escape, table

# hardware and what it differs in, values of the first side and of the other side
Difference: TypeAlias = tuple[str, str, Values, Values]
NONE: Values = frozenset()
# the title of a table names the device
IN_THE_TITLE = ("device",)


def section(compared: ComparedSides) -> Iterator[str]:
    """Write the table of all differences; they may be the cause of a speed-up."""
    cells: dict[Difference, list[ComparedCell]] = {}
    for cell in compared.cells:
        for difference in differences(cell):
            cells.setdefault(difference, []).append(cell)
    if not cells:
        yield "Settings, environment variables and versions of libraries are the same."
        return
    several = len(compared.matchups) > 1
    headers = [*(["compared"] if several else []), "what", "first", "second", "configurations"]
    yield (
        "What differs does not forbid the comparison, and may be the cause of a speed-up. A dash: "
        "not recorded, or not set."
    )
    yield table(headers, [row(*item, compared)[not several :] for item in cells.items()])


def row(
    difference: Difference, cells: Iterable[ComparedCell], compared: ComparedSides
) -> list[str]:
    """Write the row of a difference and of the configurations that have it."""
    title, what, first, other = difference
    return [
        escape(title),
        escape(what),
        escape(format_values(first)),
        escape(format_values(other)),
        configurations(cells, compared),
    ]


def configurations(cells: Iterable[ComparedCell], compared: ComparedSides) -> str:
    """Return the configurations with a difference: `all`, or those of each backend."""
    having, every = by_backend(cells), by_backend(compared.cells)
    if having == every and len(compared.cells) > len(LANES):
        return "all"
    return comma_list(
        escape(backend if names == every[backend] else f"{backend} on {'/'.join(names)}")
        for backend, names in having.items()
    )


def by_backend(cells: Iterable[ComparedCell]) -> dict[str, dict[str, None]]:
    """Return the workloads of these cells by backend."""
    backends: dict[str, dict[str, None]] = {}
    for cell in cells:
        backends.setdefault(cell.first.cell.backend, {})[cell.first.cell.workload] = None
    return backends


def differences(cell: ComparedCell) -> Iterator[Difference]:
    """Yield the differences of a cell; a side that does not have a value has an empty set."""
    title = cell.matchup.title
    for prefix, (first, other), names in (
        ("", cell.plans, flagged(cell.lane)),
        ("", cell.settings, None),
        ("version of ", versions(cell), None),
    ):
        for name, values in changes(first, other, names).items():
            yield title, f"{prefix}{name}", *values


def changes(
    first: Mapping[str, Values], other: Mapping[str, Values], names: Sequence[str] | None
) -> dict[str, tuple[Values, Values]]:
    """Return both sets of values per name that differs, of these names or of all."""
    known = sorted((first.keys() | other.keys()) - set(IN_THE_TITLE)) if names is None else names
    return {
        name: (first.get(name, NONE), other.get(name, NONE))
        for name in known
        if first.get(name, NONE) != other.get(name, NONE)
    }


def versions(cell: ComparedCell) -> tuple[Mapping[str, Values], Mapping[str, Values]]:
    """Return the versions of libraries of the first side and of the other side."""
    return library_versions(cell.first_results), library_versions(cell.other_results)


def library_versions(results: Results) -> Mapping[str, Values]:
    """Return the versions that the timed trials found, by library; that of Python too."""
    return merge(*(
        {library: frozenset({version}) for library, version in
         {"Python": record.environment.python, **record.environment.versions}.items()}
        for cell in results
        for record in cell.good_records("timing")
    ))  # fmt: skip
