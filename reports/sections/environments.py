"""Two environments of one backend: what differs, and which is faster."""

from collections.abc import Iterator

from reports.results.names import LANE_NAMES, framework
from reports.results.report import Report
from reports.results.versus import EnvironmentClaim, environment_claims, version_differences
from reports.text import NOTHING, escape, factor_estimate, join_words, table

HEADERS = ["network", "device", "timed", "compared", "speed-up", "verdict", "because"]


def section(report: Report) -> Iterator[str]:
    """Yield what each further environment is, and its verdicts; nothing for a run without any."""
    if not report.run.versus:
        return
    yield "## Two environments"
    yield " ".join(map(escape, sentences(report)))
    rows = list(map(row, environment_claims(report)))
    if rows:
        yield table(HEADERS, rows)


def sentences(report: Report) -> Iterator[str]:
    """Yield what each further environment is, and in which versions it differs."""
    for name, backend in sorted(report.run.versus.items()):
        differences = version_differences(report.run, name)
        what = join_words(differences) if differences else "the same versions"
        yield f"{name} is {framework(backend)} in another environment: {what}."


def row(claim: EnvironmentClaim) -> list[str]:
    """Return the cells of one claim."""
    ratio = claim.times_as_long
    return [
        escape(claim.other.cell.workload),
        escape(claim.other.device),
        LANE_NAMES[claim.lane],
        f"{escape(claim.other.cell.backend)} against {framework(claim.first.cell.backend)}",
        NOTHING if ratio is None else factor_estimate(ratio.inverse()),
        claim.verdict,
        claim.reason,
    ]
