"""`samestep report`."""

import json

from bench.cli.options import AsJson, RunFolder


def report(folder: RunFolder, as_json: AsJson = False) -> None:
    """Write a run's report anew from its records. Needs no framework."""
    from bench.run_file import read_records, read_run
    from reports.markdown import write_report
    from reports.tables import as_json as figures_as_json

    if as_json:
        run = read_run(folder)
        print(json.dumps(figures_as_json(run, list(read_records(folder, run))), indent=1))
        return
    print(write_report(folder))
