"""`samestep run`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backends import DEFAULT_BACKENDS
from bench.cli import options
from bench.cli.fail_slower import FailSlower, gate, percentage
from bench.cli.next_command import next_commands
from bench.cli.options import EXIT_INTERRUPTED, MEASURED_PRECISIONS, make_request, select, split
from bench.cli.resumable import require_resumable
from bench.cli.show import answer
from bench.cli.speed_table import speeds_so_far
from bench.cli.versus import Versus, add_environments, select_environments
from bench.profiles import MOST_ROUNDS, PROFILES, Profile, select_profile
from bench.run.signals import EXIT_TERMINATED, Termination
from bench.spec import require

if TYPE_CHECKING:
    from decimal import Decimal

    from bench.record.run import RunModel
    from bench.run.request import Request
    from reports.results.report import Report


def run(
    workload: options.Workloads = None,
    backend: options.Backends = None,
    device: options.Devices = None,
    mode: options.Modes = None,
    precision: options.Precisions = None,
    optimizer: options.Optimizers = None,
    batch_size: options.BatchSizes = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help=f"How much to measure: {', '.join(PROFILES)}. Default: standard.", metavar="NAME"
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            help="Rounds of timing trials, instead of the profile's; with --resume, in all.",
            metavar="N",
        ),
    ] = None,
    seeds: Annotated[
        list[str] | None,
        typer.Option(
            help="Seeds to train with, instead of the profile's; 'none' for timing alone.",
            metavar=options.NUMBERS,
        ),
    ] = None,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend",
            help=f"Add rounds, up to {MOST_ROUNDS}, while an interval is wider than 2 %.",
            metavar=options.FLAG,
        ),
    ] = False,
    out: options.Out = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Finish the run in this folder: run the trials that have no record.",
            metavar="FOLDER",
        ),
    ] = None,
    python: options.Interpreters = None,
    versus: Versus = None,
    fail_slower: FailSlower = None,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            help="Print only warnings, errors and the report's path.",
            metavar=options.FLAG,
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Check, time and train every cell, each trial in a fresh process, and write the report."""
    environments = select_environments(versus or ())
    limit = None if fail_slower is None else percentage(fail_slower)
    request = replace(
        make_request(
            *(workload, backend, device, mode, optimizer, python),
            profile=adjust(
                select_profile(profile or "standard"), rounds, split(seeds), extend=extend
            ),
        ),
        precisions=select("precision", split(precision), MEASURED_PRECISIONS),
        batch_sizes=options.select_batch_sizes(split(batch_size)),
    )
    request = add_environments(request, environments, chosen=bool(backend))
    if limit is not None:
        require_verdicts(request)
    if resume is not None:
        require_resumable(
            resume,
            *(workload, backend, device, mode, precision, optimizer, batch_size),
            *(profile, seeds, extend or None, out),
            rounds=rounds,
            environments=environments,
        )
    folder = resume or out or options.new_folder(request.profile.name)
    with Termination() as termination:
        try:
            finished = measure(
                request, folder, resume=resume is not None, rounds=rounds, quiet=quiet
            )
            named = bool(backend or versus) if resume is None else has_chosen_backends(finished)
            code = conclude(
                finished, folder, named=named, as_json=as_json, quiet=quiet, fail_slower=limit
            )
        except KeyboardInterrupt:
            # a second Ctrl-C, or the first while the report was being written
            termination.ignore()
            print(
                f"samestep: interrupted before there was a report; {advice(folder)}",
                file=sys.stderr,
            )
            code = EXIT_INTERRUPTED
    sys.exit(EXIT_TERMINATED if termination.came else code)


def require_verdicts(request: "Request") -> None:
    """Raise `UsageError` if `--fail-slower` has nothing to judge in such a run."""
    require(
        bool(request.versus) and request.profile.name != "smoke",
        "--fail-slower compares the environments of --versus",
        expected="--versus NAME=BACKEND:PYTHON, and no smoke run",
        received=f"{len(request.versus)} x --versus, profile {request.profile.name}",
    )


def measure(
    request: "Request", folder: Path, *, resume: bool, rounds: int | None, quiet: bool
) -> "RunModel | None":
    """Carry out the run with progress on the terminal; None if interrupted before the plan."""
    from bench.run.carry_out import carry_out
    from bench.run.display import TerminalDisplay, WarningsDisplay

    shown = WarningsDisplay() if quiet else TerminalDisplay(lambda: speeds_so_far(folder))
    with shown as display:
        return carry_out(request, folder, resume=resume, rounds=rounds, display=display)


def has_chosen_backends(run: "RunModel | None") -> bool:
    """Return whether a resumed run has other backends than the default ones.

    Its folder does not record whether `--backend` named them.
    """
    return run is not None and set(run.backends) != set(DEFAULT_BACKENDS)


def advice(folder: Path) -> str:
    """Return the command with which a user continues, if there is a plan."""
    from bench.record.run import RUN_FILE

    if not (folder / RUN_FILE).exists():
        return "there was no plan yet"
    return f"`samestep report {folder}` writes it, --resume finishes the run"


def adjust(
    profile: Profile, rounds: int | None, seeds: Sequence[str], *, extend: bool = False
) -> Profile:
    """Return the profile with the rounds and the seeds that the options name."""
    if extend:
        profile = replace(profile, most_rounds=MOST_ROUNDS)
    if rounds is not None:
        require(rounds >= 0, "rounds", expected="0 or more", received=rounds)
        steady = min(rounds, profile.steady_rounds)
        profile = replace(profile, rounds=rounds, steady_rounds=steady)
    if list(seeds) == ["none"]:
        profile = replace(profile, seeds=())
    elif seeds:
        numbers = all(seed.isdecimal() and len(seed) < 10 for seed in seeds)
        require(
            numbers, "seeds", expected="numbers such as 0,1,2, or none", received=",".join(seeds)
        )
        profile = replace(profile, seeds=tuple(dict.fromkeys(map(int, seeds))))
    return profile


def conclude(
    run: "RunModel | None",
    folder: Path,
    *,
    named: bool,
    as_json: bool,
    quiet: bool = False,
    fail_slower: "Decimal | None" = None,
) -> int:
    """Write the report of the finished trials, print the answer, and return the exit code."""
    from bench.record.stored import read_records
    from bench.run.carry_out import count_statuses, excuses, exit_code
    from reports.report import write_report
    from reports.results.report import Report

    if run is None:
        print("samestep: interrupted before there was a plan", file=sys.stderr)
        return EXIT_INTERRUPTED
    records = list(read_records(folder, run))
    report = Report(run, records)
    written = write_report(folder)
    if as_json:
        document = {"run": str(folder), "report": str(written), "statuses": count_statuses(records)}
        print(json.dumps(document))
    else:
        print(written if quiet else summary(report, folder, written))
    # a run without a session was interrupted directly after it was planned
    if not run.sessions or run.sessions[-1].outcome != "complete":
        print(f"samestep: interrupted; finish it with --resume {folder}", file=sys.stderr)
        return EXIT_INTERRUPTED
    if any(record.status == "unavailable" for record in records):
        print(
            "samestep: a backend is unavailable; `nox -s bench` makes the environments, and "
            "--python BACKEND=PATH names one of yours",
            file=sys.stderr,
        )
    code = exit_code(records, len(run.trials), excuses(run, named=named))
    if code == 0 and fail_slower is not None:
        code = judge_environments(report, fail_slower)
    return code


def judge_environments(report: "Report", limit: "Decimal") -> int:
    """Return 1 if another environment is SLOWER by the limit, or if no verdict could be given."""
    from reports.results.versus import environment_claims, slowdowns

    claims = list(environment_claims(report))
    return gate(slowdowns(claims, limit), len(claims))


def summary(report: "Report", folder: Path, written: Path) -> str:
    """Return how the trials ended, the answer, the report's path and the next command."""
    from bench.run.carry_out import count_statuses

    ended, planned = len(report.records), len(report.run.trials)
    counts = count_statuses(report.records).items()
    return "\n".join((
        f"{ended} of {planned} trials: {', '.join(f'{count} {name}' for name, count in counts)}\n",
        f"{answer(report)}\n",
        str(written),
        *next_commands(report, folder),
    ))  # fmt: skip
