"""The same cells of two sides: machine and device may differ, all else is the same."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bench.spec import Cell, TrialKind
from bench.stats import FEWEST_RUNS, Claim, Comparison, Verdict
from bench.stats.comparison import Rounds
from reports.compare import protocol
from reports.compare.protocol import Protocol
from reports.compare.sides import Side, machine_identity
from reports.results import comparability
from reports.results.cells import CellResults
from reports.results.machine import device_name
from reports.results.settings import Values
from reports.results.speed import LANES

# the results of a cell in each run of a side
Results: TypeAlias = tuple[CellResults, ...]
# how the cell was measured on the first side, and on the other side
Plans: TypeAlias = tuple[Protocol, Protocol]


@dataclass(frozen=True, kw_only=True)
class Matchup:
    """What is compared: a device of the first side and a device of another side.

    `hardware` names the device of the other side, then that of the first side. `is_alone`: no third
    side is compared.
    """

    first: Side
    other: Side
    hardware: tuple[str, str]
    is_alone: bool

    @property
    def same_run(self) -> bool:
        """Return whether both belong to one run, for example as its published copy."""
        return self.first.run.run_id == self.other.run.run_id and not self.is_repeated

    @property
    def is_repeated(self) -> bool:
        """Return whether each side has the runs that show how much runs differ."""
        return min(len(self.first.runs), len(self.other.runs)) >= FEWEST_RUNS

    @property
    def title(self) -> str:
        """Return the two pieces of hardware; the names of the runs if these do not tell them apart.

        The text comes from records: escape it.
        """
        other, first = self.hardware
        if other == first:
            return f"{self.other.name} against {self.first.name} ({first})"
        return f"{other}{'' if self.is_alone else f' ({self.other.name})'} against {first}"


# compared by identity: a cell is the key of its claim
@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedCell:
    """A cell of the other side, compared with the same cell of the first side in one lane.

    It has either a claim, or a refusal, which says why there is no claim. All pairs have the value
    of the first side, then that of the other; only `samples` have the other side first, as a claim.
    """

    matchup: Matchup
    lane: str
    first_results: Results
    other_results: Results
    plans: Plans
    refusal: str | None
    claim: Claim | None = None

    @property
    def run(self) -> str:
        """Return the name of the other side."""
        return self.matchup.other.name

    @property
    def first(self) -> CellResults:
        """Return the cell of the first side's first run."""
        return self.first_results[0]

    @property
    def other(self) -> CellResults:
        """Return the cell of the other side's first run."""
        return self.other_results[0]

    @property
    def other_machine(self) -> bool:
        """Return whether the trials come from more than one machine."""
        return len(machines((*self.first_results, *self.other_results))) > 1

    @property
    def settings(self) -> tuple[Mapping[str, Values], Mapping[str, Values]]:
        """Return the settings of the first side and of the other side."""
        return merge_settings(self.first_results), merge_settings(self.other_results)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the differences that do not forbid the comparison, as `blocks: 12, 6`."""
        plans = comparability.differences(*self.plans, protocol.flagged(self.lane))
        settings = comparability.differences(*self.settings, comparability.MATTERS)
        return (*(["other machine"] if self.other_machine else []), *plans, *settings)

    @property
    def comparison(self) -> Comparison | None:
        return None if self.claim is None else self.claim.comparison

    @property
    def verdict(self) -> Verdict | None:
        return None if self.claim is None else self.claim.verdict

    @property
    def samples(self) -> tuple[list[Rounds], list[Rounds]]:
        """Return the seconds by round in each run of the other side, and of the first side."""
        return seconds(self.other_results, self.lane), seconds(self.first_results, self.lane)


def seconds(results: Results, lane: str) -> list[Rounds]:
    """Return the seconds by round of a lane in each run."""
    return [cell.seconds[lane] for cell in results]


def matched_cells(first: Side, other: Side, kind: TrialKind) -> Iterator[tuple[Results, Results]]:
    """Yield the same cells of both sides with good trials of this kind in all runs.

    A cell is compared with that on the same device of the first side; if there is none, with that
    on the first side's first device. Within one run, each device is compared with the first one.
    """
    earlier = by_settings(first, kind)
    for key, devices in by_settings(other, kind).items():
        base = earlier.get(key)
        if base is None:
            continue
        start = next(iter(base))
        for device, results in devices.items():
            if first is not other:
                yield base.get(device, base[start]), results
            elif device != start:
                yield base[start], results


def by_settings(side: Side, kind: TrialKind) -> dict[Cell, dict[str, Results]]:
    """Return the good cells of a side by all but the device, then by device."""
    runs = [{cell.cell: cell for cell in compared.cells} for compared in side.runs]
    cells: dict[Cell, dict[str, Results]] = {}
    for cell in runs[0]:
        results = tuple(run[cell] for run in runs if cell in run)
        if len(results) == len(runs) and all(each.good_records(kind) for each in results):
            cells.setdefault(cell.but(device="cpu"), {})[cell.execution.device] = results
    return cells


def pair_cells(first: Side, other: Side, *, is_alone: bool) -> Iterator[ComparedCell]:
    """Yield the timed cells of two sides in each lane, without claims."""
    for before, after in matched_cells(first, other, "timing"):
        names = hardware_names(first, other, before[0], after[0])
        matchup = Matchup(first=first, other=other, hardware=names, is_alone=is_alone)
        yield from pair_lanes(matchup, before, after)


def hardware_names(
    first: Side, other: Side, before: CellResults, after: CellResults
) -> tuple[str, str]:
    """Return the names of the other side's device and of the first side's."""
    devices = after.cell.execution.device, before.cell.execution.device
    names = device_name(other.run, devices[0]), device_name(first.run, devices[1])
    if names[0] == names[1] and devices[0] != devices[1]:
        return f"{names[0]} ({devices[0]})", f"{names[1]} ({devices[1]})"
    return names


def pair_lanes(matchup: Matchup, before: Results, after: Results) -> Iterator[ComparedCell]:
    """Yield a cell of both sides in each lane, with a refusal or without, but without a claim."""
    first, other = matchup.first, matchup.other
    plans = merge_plans(first, before), merge_plans(other, after)
    alike = before[0].device == after[0].device and len(machines((*before, *after))) == 1
    for lane in LANES:
        refusals = [*refuse_results(before, after, lane), *refuse_plans(plans, lane, alike=alike)]
        yield ComparedCell(
            matchup=matchup,
            lane=lane,
            first_results=before,
            other_results=after,
            plans=plans,
            refusal="; ".join(dict.fromkeys(refusals)) or None,
        )


def refuse_results(before: Results, after: Results, lane: str) -> Iterator[str]:
    """Yield why the results of any two runs may not be compared in a lane."""
    reference, *others = *before, *after
    reasons = (comparability.refusal(reference, cell) for cell in others)
    yield from filter(None, reasons)
    if not all(cell.seconds[lane] for cell in (reference, *others)):
        yield "no steady trial in both runs"


def refuse_plans(plans: Plans, lane: str, *, alike: bool) -> Iterator[str]:
    """Yield why the plans of two sides may not be compared; `alike`: on equal hardware."""
    yield from protocol.refusals(*plans, lane)
    # on other hardware a slice of equal seconds has other steps
    if alike and lane == "native":
        yield from protocol.refuse_slices(*plans)


def merge_plans(side: Side, results: Results) -> Protocol:
    """Return how a cell was measured in the runs of a side, with the values of all of them."""
    return merge(*(
        protocol.protocol(compared.run, compared.cells, cell)
        for compared, cell in zip(side.runs, results, strict=True)
    ))  # fmt: skip


def merge_settings(results: Results) -> dict[str, Values]:
    """Return the settings of a cell in all runs of a side."""
    return merge(*(cell.settings for cell in results))


def merge(*values: Mapping[str, Values]) -> dict[str, Values]:
    """Return all values by name."""
    names = dict.fromkeys(name for each in values for name in each)
    return {
        name: frozenset().union(*(each.get(name, frozenset()) for each in values)) for name in names
    }


def machines(results: Results) -> set[tuple[object, ...]]:
    """Return the identity of the machine of each timed trial; the set has one item per machine."""
    return {
        machine_identity(record.environment)
        for cell in results
        for record in cell.good_records("timing")
    }
