"""Two environments of one backend in one run: what differs between them, and which is faster."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bench.record.run import RunModel
from bench.stats import Estimate, Verdict
from reports.results.cells import CellResults
from reports.results.names import LANE_NAMES
from reports.results.report import Report
from reports.results.slowdown import slowdown
from reports.results.speed_verdicts import RankedPair
from reports.text import shell_list


@dataclass(frozen=True, kw_only=True)
class EnvironmentClaim:
    """A claim on the speed of a backend in another environment, in one lane.

    `first` is the cell with the backend's own Python, and `other` that with the other one.
    `times_as_long` is 2 if the other one takes twice the time; None without a good round of both.
    """

    first: CellResults
    other: CellResults
    lane: str
    verdict: Verdict
    times_as_long: Estimate | None
    reason: str


def environment_claims(report: Report) -> Iterator[EnvironmentClaim]:
    """Yield the claims on every environment of `--versus` against the backend that it is one of."""
    for pair in report.pairs:
        for first, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if report.run.versus.get(other.cell.backend) == first.cell.backend:
                yield claim_on(other, first, pair)


def claim_on(other: CellResults, first: CellResults, pair: RankedPair) -> EnvironmentClaim:
    """Return the pair's claim as a claim on `other`."""
    comparison = pair.claim.comparison
    ratio = None if comparison is None else comparison.ratio
    if ratio is not None and pair.first is first:
        ratio = ratio.inverse()
    return EnvironmentClaim(
        first=first,
        other=other,
        lane=pair.lane,
        verdict=pair.verdict_on(other),
        times_as_long=ratio,
        reason=pair.claim.reason,
    )


def version_differences(run: RunModel, name: str) -> list[str]:
    """Return `torch 2.12.0 instead of 2.11.0` for each package that differs in the environment."""
    first, other = (run.backends[key].versions for key in (run.versus[name], name))
    return [
        f"{package} {other.get(package, 'missing')} instead of {first.get(package, 'none')}"
        for package in sorted({*first, *other})
        if first.get(package) != other.get(package)
    ]


def versus_options(run: RunModel) -> str:
    """Return ` --versus NAME=BACKEND:PYTHON` for each further environment; empty without any."""
    pairs = sorted(run.versus.items())
    return "".join(
        f" --versus {shell_list(name)}={shell_list(backend)}:PYTHON" for name, backend in pairs
    )


def slowdowns(claims: Sequence[EnvironmentClaim], percentage: Decimal) -> Iterator[str]:
    """Write one line of plain text per claim that is SLOWER by `percentage` percent or more."""
    for claim in claims:
        line = slowdown(subject(claim), "", claim.verdict, claim.times_as_long, percentage)
        if line is not None:
            yield line


def subject(claim: EnvironmentClaim) -> str:
    """Write `torch-2.12 (cpu) against pytorch on mlp-512 (full training loop)`."""
    first, other = claim.first.cell.backend, claim.other
    return f"{other.name} against {first} on {other.cell.workload} ({LANE_NAMES[claim.lane]})"
