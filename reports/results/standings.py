"""How many times as fast as one baseline every backend is: per workload, and over all workloads.

The time is that of the native lane, in the mode that a user gets without asking.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.stats import Estimate, Verdict, cell_value, compare_rounds
from reports.results.cells import CellResults, workloads
from reports.results.comparability import refusal
from reports.results.speed_verdicts import RankedPair

LANE = "native"
# the framework that most readers know is the measure of the others
USUAL_BASELINE = "keras-tensorflow"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A cell against the baseline on the same workload and device.

    `speedup` is 2 if the cell takes half the baseline's time; None if they share no good round.
    `verdict` is on the cell, and `reason` is that of the verdict; None and empty for the baseline,
    and if the run judges nothing.
    """

    results: CellResults
    speedup: Estimate | None
    verdict: Verdict | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class MeanSpeedup:
    """The geometric mean of a backend's speed-ups over `workloads`, with its interval over rounds.

    Only rounds in which all of these workloads have a good trial of both backends count.
    """

    backend: str
    speedup: Estimate
    workloads: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Standings:
    """The cells of one device against `baseline`, in the report's order.

    `device` names the device with all that is not the default: `cpu`, or `cuda:0, bfloat16`.
    `close` has the backends, besides the baseline, that the fastest one is not clearly faster than.
    `of_environments` is whether all but the baseline are further environments of a backend.
    """

    device: str
    baseline: str
    cells: tuple[Standing, ...]
    means: tuple[MeanSpeedup, ...]
    close: tuple[str, ...] = ()
    of_environments: bool = False

    @property
    def ranked(self) -> list[MeanSpeedup]:
        """Return the means over the most workloads first, and of these the fastest first."""
        return rank_means(self.means)

    def of_workload(self, workload: str) -> list[Standing]:
        """Return the standings on one workload."""
        return [one for one in self.cells if one.results.cell.workload == workload]


def standings(
    cells: Sequence[CellResults],
    pairs: Sequence[RankedPair],
    baseline: str | None,
    environments: Collection[str] = (),
) -> tuple[Standings, ...]:
    """Return the standings of each device with timed cells of the baseline.

    `baseline` is the name of a backend; None takes `USUAL_BASELINE`, or the first timed backend if
    that is missing. Further `environments` of a backend come after all backends.
    """
    groups: dict[str, list[CellResults]] = {}
    for results in cells:
        if results.cell.execution.mode == "default" and results.seconds[LANE]:
            groups.setdefault(results.device, []).append(results)
    chosen = [
        (device, group, choose_baseline(group, baseline, environments))
        for device, group in groups.items()
    ]
    return tuple(
        of_device(device, group, name, pairs, environments)
        for device, group, name in chosen
        if name is not None
    )


def choose_baseline(
    cells: Sequence[CellResults], wanted: str | None, environments: Collection[str]
) -> str | None:
    """Return the backend against which these cells are shown; None if the wanted one is missing."""
    names = sorted(
        (results.cell.backend for results in cells), key=lambda name: name in environments
    )
    if wanted is not None:
        return wanted if wanted in names else None
    return USUAL_BASELINE if USUAL_BASELINE in names else names[0]


def of_device(
    device: str,
    cells: Sequence[CellResults],
    baseline: str,
    pairs: Sequence[RankedPair],
    environments: Collection[str],
) -> Standings:
    """Return the standings of the cells of one device."""
    bases = {
        results.cell.workload: results for results in cells if results.cell.backend == baseline
    }
    backends = dict.fromkeys(results.cell.backend for results in cells)
    all_means = [mean_speedup(name, cells, bases) for name in backends if name != baseline]
    means = [mean for mean in all_means if mean is not None]
    return Standings(
        device=device,
        baseline=baseline,
        cells=tuple(standing(results, bases, pairs) for results in cells),
        means=tuple(means),
        close=tuple(close_to_first(rank_means(means), cells, pairs)),
        of_environments=all(name in environments for name in backends if name != baseline),
    )


def rank_means(means: Sequence[MeanSpeedup]) -> list[MeanSpeedup]:
    """Return the means over the most workloads first, and of these the fastest first."""
    return sorted(means, key=lambda mean: (-len(mean.workloads), -mean.speedup.value))


def close_to_first(
    means: Sequence[MeanSpeedup], cells: Sequence[CellResults], pairs: Sequence[RankedPair]
) -> Iterator[str]:
    """Yield the backends of later means over the same workloads that the first does not beat."""
    for other in means[1:]:
        if other.workloads != means[0].workloads:
            continue
        own = {
            results.cell.workload: results
            for results in cells
            if results.cell.backend == other.backend and results.cell.workload in other.workloads
        }
        lead = mean_speedup(means[0].backend, cells, own)
        if not is_lead(
            lead, [standing(one, own, pairs) for one in cells if is_part(one, means[0])]
        ):
            yield other.backend


def is_part(results: CellResults, mean: MeanSpeedup) -> bool:
    """Return whether a cell is one of those that the mean is over."""
    return results.cell.backend == mean.backend and results.cell.workload in mean.workloads


def is_lead(lead: MeanSpeedup | None, standings: Sequence[Standing]) -> bool:
    """Return whether a mean's interval lies above 1; of one workload its verdict decides too."""
    if lead is None or lead.speedup.value <= 1 or not lead.speedup.excludes(1):
        return False
    return len(standings) > 1 or standings[0].verdict is Verdict.FASTER


def standing(
    results: CellResults, bases: Mapping[str, CellResults], pairs: Sequence[RankedPair]
) -> Standing:
    """Return the standing of one cell; without values if it has no baseline."""
    base = bases.get(results.cell.workload)
    if base is None or base is results or refusal(results, base) is not None:
        return Standing(results=results, speedup=None, verdict=None)
    comparison = compare_rounds(base.seconds[LANE], results.seconds[LANE])
    own = [
        pair
        for pair in pairs
        if pair.lane == LANE and {pair.first.cell, pair.second.cell} == {results.cell, base.cell}
    ]
    return Standing(
        results=results,
        speedup=None if comparison is None else comparison.ratio,
        verdict=own[0].verdict_on(results) if own else None,
        reason=own[0].claim.reason if own else "",
    )


def mean_speedup(
    backend: str, cells: Sequence[CellResults], bases: Mapping[str, CellResults]
) -> MeanSpeedup | None:
    """Return the mean over the workloads that may be compared; None without a round of all."""
    compared = [
        (results, bases[results.cell.workload])
        for results in cells
        if results.cell.backend == backend
        and results.cell.workload in bases
        and refusal(results, bases[results.cell.workload]) is None
    ]
    by_workload = [log_speedups(results, base) for results, base in compared]
    if not by_workload:
        return None
    rounds = sorted(set.intersection(*(set(speedups) for speedups in by_workload)))
    logarithms = cell_value([fmean(speedups[turn] for speedups in by_workload) for turn in rounds])
    if logarithms is None:
        return None
    names = workloads([results for results, _ in compared])
    return MeanSpeedup(backend=backend, speedup=exponential(logarithms), workloads=names)


def exponential(estimate: Estimate) -> Estimate:
    """Return the estimate of a number from that of its logarithm.

    So the mean over a single workload is its speed-up, which is also estimated in logarithms.
    """
    return Estimate(
        value=math.exp(estimate.value),
        low=None if estimate.low is None else math.exp(estimate.low),
        high=None if estimate.high is None else math.exp(estimate.high),
        n=estimate.n,
    )


def log_speedups(results: CellResults, base: CellResults) -> dict[int, float]:
    """Return the logarithm of the speed-up in each round with a good trial of both."""
    own, other = results.seconds[LANE], base.seconds[LANE]
    return {turn: math.log(other[turn] / own[turn]) for turn in own.keys() & other.keys()}
