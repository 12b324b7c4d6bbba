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
from bench.cli.options import EXIT_INTERRUPTED, MEASURED_PRECISIONS, make_request, select, split
from bench.errors import UsageError
from bench.profiles import MOST_ROUNDS, PROFILES, Profile, select_profile
from bench.run.signals import EXIT_TERMINATED, Termination
from bench.spec import require

if TYPE_CHECKING:
    from bench.record.run import RunModel
    from bench.run.request import Request


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
        typer.Option(help=f"How much to measure: {', '.join(PROFILES)}. Default: standard."),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(help="Rounds of timing trials, instead of the profile's.")
    ] = None,
    seeds: Annotated[
        list[str] | None,
        typer.Option(
            help="Seeds to train with, comma-separated, instead of the profile's; 'none' for "
            "timing alone."
        ),
    ] = None,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend",
            help=f"Add rounds, up to {MOST_ROUNDS}, while an interval is wider than 2 %.",
        ),
    ] = False,
    out: options.Out = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Finish the run in this folder: run the trials that have no record."),
    ] = None,
    python: options.Interpreters = None,
    as_json: options.AsJson = False,
) -> None:
    """Check, time and train every cell, each trial in a fresh process, and write the report."""
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
    if resume is not None:
        require_resumable(
            resume,
            *(workload, backend, device, mode, precision, optimizer, batch_size),
            *(profile, rounds, seeds, extend or None, out),
        )
    folder = resume or out or options.new_folder(request.profile.name)
    with Termination() as termination:
        try:
            finished = measure(request, folder, resume=resume is not None)
            named = bool(backend) if resume is None else has_chosen_backends(finished)
            code = conclude(finished, folder, named=named, as_json=as_json)
        except KeyboardInterrupt:
            # a second Ctrl-C, or the first while the report was being written
            termination.ignore()
            print(
                f"samestep: interrupted before there was a report; {advice(folder)}",
                file=sys.stderr,
            )
            code = EXIT_INTERRUPTED
    sys.exit(EXIT_TERMINATED if termination.came else code)


def require_resumable(folder: Path, *others: object) -> None:
    """Raise `UsageError` if `--resume` is combined with an option, or a GPU of the run is gone.

    Without this check each trial of that GPU would be recorded as a failure.
    """
    from bench.record.run import read_run
    from bench.run.carry_out import devices_of

    if any(option is not None for option in others):
        raise UsageError(
            "--resume finishes the plan that the run was started with. Expected: nothing beside it "
            "but --python and --json"
        )
    options.select_devices(devices_of(read_run(folder)))


def measure(request: "Request", folder: Path, *, resume: bool) -> "RunModel | None":
    """Carry out the run with progress on the terminal; None if interrupted before the plan."""
    from bench.run.carry_out import carry_out
    from bench.run.display import TerminalDisplay

    with TerminalDisplay() as display:
        return carry_out(request, folder, resume=resume, display=display)


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
        profile = replace(profile, rounds=rounds, judged=False)
    if list(seeds) == ["none"]:
        profile = replace(profile, seeds=())
    elif seeds:
        numbers = all(seed.isdecimal() and len(seed) < 10 for seed in seeds)
        require(
            numbers, "seeds", expected="numbers such as 0,1,2, or none", received=",".join(seeds)
        )
        profile = replace(profile, seeds=tuple(dict.fromkeys(map(int, seeds))))
    return profile


def conclude(run: "RunModel | None", folder: Path, *, named: bool, as_json: bool) -> int:
    """Write the report of the finished trials, print its path, and return the exit code."""
    from bench.record.stored import read_records
    from bench.run.carry_out import count_statuses, excuses, exit_code
    from reports.report import write_report

    if run is None:
        print("samestep: interrupted before there was a plan", file=sys.stderr)
        return EXIT_INTERRUPTED
    records = list(read_records(folder, run))
    # a run without a session was interrupted directly after it was planned
    interrupted = not run.sessions or run.sessions[-1].outcome != "complete"
    report = write_report(folder)
    if as_json:
        answer = {"run": str(folder), "report": str(report), "statuses": count_statuses(records)}
        print(json.dumps(answer))
    else:
        counts = ", ".join(f"{count} {name}" for name, count in count_statuses(records).items())
        print(f"{len(records)} of {len(run.trials)} trials: {counts}\n{report}")
    if interrupted:
        print(f"samestep: interrupted; finish it with --resume {folder}", file=sys.stderr)
        return EXIT_INTERRUPTED
    if any(record.status == "unavailable" for record in records):
        print(
            "samestep: a backend is unavailable; `nox -s bench` makes the environments, and "
            "--python BACKEND=PATH names one of yours",
            file=sys.stderr,
        )
    return exit_code(records, len(run.trials), excuses(run, named=named))
