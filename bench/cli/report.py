"""`samestep report`."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from bench.cli.options import AsJson, RunFolder


class Format(StrEnum):
    """A format of the report, named as the option `--format` takes it."""

    MARKDOWN = "markdown"
    PYTEST_BENCHMARK = "pytest-benchmark"


def report(
    folder: RunFolder,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="markdown writes the report into the folder; pytest-benchmark prints the JSON "
            "that `pytest-benchmark compare` reads.",
        ),
    ] = Format.MARKDOWN,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="BACKEND",
            help="Show all speeds against this backend. Default: keras-tensorflow, else the first.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a run's report from its records. Needs no framework."""
    from bench.record.folder import refuse_links
    from bench.record.run import read_run, require_run
    from bench.record.stored import read_records
    from reports.exports.pytest_benchmark import as_pytest_benchmark
    from reports.exports.summary_json import as_json as figures_as_json
    from reports.report import write_report
    from reports.results.impossible import reject_impossible
    from reports.results.report import Report

    require_run(folder)
    if not as_json and form is Format.MARKDOWN:
        refuse_links(folder)
        with reject_impossible(folder):
            print(write_report(folder, baseline))
        return
    run = read_run(folder)
    records = list(read_records(folder, run))
    document = figures_as_json if as_json else as_pytest_benchmark
    with reject_impossible(folder):
        print(json.dumps(document(Report(run, records)), indent=1))
