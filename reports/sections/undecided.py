"""The comparisons that lack rounds, and the command that adds them."""

from collections.abc import Iterator

from bench.stats import SMALLEST_SAMPLE, Verdict
from reports.results.report import Report
from reports.results.rounds_wanted import rounds_wanted
from reports.results.versus import versus_options
from reports.text import plural


def section(report: Report) -> Iterator[str]:
    """Yield how many comparisons are UNDECIDED; nothing if there are none."""
    verdicts = [pair.claim.verdict for pair in report.pairs]
    undecided = verdicts.count(Verdict.UNDECIDED)
    if not undecided:
        return
    yield "## Not decided"
    yield (
        f"{undecided} of {plural(len(verdicts), 'comparison')} have fewer than the "
        f"{SMALLEST_SAMPLE} good rounds that a verdict needs."
    )
    if any(results.missing_trials for results in report.cells):
        yield "This command runs the trials that have no record:"
        yield f"```sh\nsamestep run --resume FOLDER{versus_options(report.run)}\n```"
    elif wanted := rounds_wanted(report):
        yield "This command adds rounds:"
        options = f"--rounds {wanted}{versus_options(report.run)}"
        yield f"```sh\nsamestep run --resume FOLDER {options}\n```"
