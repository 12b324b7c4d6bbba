"""The cards of a comparison: per hardware, how many times as fast each framework is on it."""

from collections.abc import Iterator, Sequence

from bench.stats import SMALLEST_SAMPLE
from reports.compare.comparison import ComparedSides
from reports.compare.means import ComparedMean, backend_settings
from reports.compare.pairs import ComparedCell, Matchup
from reports.compare.sides import ComparedRun
from reports.compare.words import speedup_of
from reports.results.caption import shorten, versions
from reports.results.card import (
    Card,
    Point,
    Row,
    interval,
    judged_point,
    mean_name,
    order,
    same_math,
    summary_points,
)
from reports.results.content_hash import SHORT_HASH
from reports.text import join_words, plural

LANE = "native"


def cards(compared: ComparedSides) -> Iterator[Card]:
    """Yield a card per hardware on which a full training loop was compared."""
    for title, matchup in compared.matchups.items():
        cells = [
            cell
            for cell in compared.cells
            if cell.matchup.title == title and cell.lane == LANE and cell.comparison is not None
        ]
        if cells:
            settings = usual_settings(cells)
            own = [cell for cell in cells if backend_settings(cell.other)[1] == settings]
            means = [
                mean
                for mean in compared.means
                if mean.matchup.title == title
                and mean.lane == LANE
                and backend_settings(mean.cells[0].other)[1] == settings
            ]
            yield card(matchup, own, means, settings)


def usual_settings(cells: Sequence[ComparedCell]) -> str:
    """Return the settings of the card: none if a cell has none, else those of the first cell."""
    settings = [backend_settings(cell.other)[1] for cell in cells]
    return "" if "" in settings else settings[0]


def card(
    matchup: Matchup, cells: Sequence[ComparedCell], means: Sequence[ComparedMean], settings: str
) -> Card:
    """Return the card of these cells of one hardware, which have these settings."""
    rows = tuple(list_rows(cells, means))
    other, first = matchup.hardware if different(matchup) else run_names(matchup)
    results = [one for cell in cells for one in (*cell.first_results, *cell.other_results)]
    return Card(
        title=shorten(f"{other}{f', {settings}' if settings else ''}"),
        details=details(matchup),
        stamp=stamp(rows),
        unit=shorten(first),
        baseline=None,
        backends=order({cell.other.cell.backend for cell in cells}, summary_points(rows), None),
        rows=rows,
        marks=(same_math(results), interval(rows)),
        source=source(matchup),
    )


def different(matchup: Matchup) -> bool:
    """Return whether the two sides are on different hardware."""
    return matchup.hardware[0] != matchup.hardware[1]


def run_names(matchup: Matchup) -> tuple[str, str]:
    """Return the other side's hardware with its runs, and the names of the first side's runs."""
    return f"{matchup.hardware[0]}: {matchup.other.name}", matchup.first.name


def list_rows(cells: Sequence[ComparedCell], means: Sequence[ComparedMean]) -> Iterator[Row]:
    """Yield the geometric mean over all workloads if there are several, then each workload."""
    names = dict.fromkeys(cell.other.cell.workload for cell in cells)
    complete = [mean for mean in means if len(mean.cells) == len(names) > 1]
    points = list(filter(None, map(point, complete)))
    if points:
        yield Row(name=mean_name(len(names)), points=tuple(points), is_mean=True)
    for name in names:
        own = [point(cell) for cell in cells if cell.other.cell.workload == name]
        yield Row(name=name, points=tuple(filter(None, own)))


def point(item: ComparedCell | ComparedMean) -> Point | None:
    """Return the point of a claim; None without a good round on both sides."""
    claim = item.claim
    if claim is None or claim.comparison is None:
        return None
    cell = item.cells[0] if isinstance(item, ComparedMean) else item
    return judged_point(cell.other.cell.backend, speedup_of(claim), claim.verdict)


def stamp(rows: Sequence[Row]) -> str:
    """Return that too few rounds were timed for any interval; empty if there is one."""
    rounds = [point.speedup.n for row in rows for point in row.points]
    if any(point.speedup.low is not None for row in rows for point in row.points):
        return ""
    return f"preliminary: {plural(max(rounds), 'round')}, a verdict needs {SMALLEST_SAMPLE}"


def details(matchup: Matchup) -> str:
    """Return the dates of both sides, and the versions of both or that they differ."""
    sides = (matchup.other, matchup.first)
    dates = dict.fromkeys(join_words(run_dates(side.runs)) for side in sides)
    packages = dict.fromkeys(versions(run.run) for side in sides for run in side.runs)
    versions_of_both = "versions differ" if len(packages) > 1 else next(iter(packages))
    return f"{' against '.join(dates)} · {versions_of_both}"


def run_dates(runs: Sequence[ComparedRun]) -> list[str]:
    """Return the dates of runs, each once."""
    return list(dict.fromkeys(shorten(run.run.created[:10]) for run in runs))


def source(matchup: Matchup) -> str:
    """Return the hashes by which the runs of both sides are cited."""
    sides = [
        ", ".join(run.content_hash[:SHORT_HASH] for run in side.runs)
        for side in (matchup.other, matchup.first)
    ]
    return f"samestep, content hashes {' against '.join(dict.fromkeys(sides))}"
