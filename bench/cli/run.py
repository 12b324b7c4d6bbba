"""`samestep run`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backends import DEFAULT_BACKENDS, all_backends
from bench.cli.options import (
    EXIT_INTERRUPTED,
    MEASURED_PRECISIONS,
    AsJson,
    Backends,
    BatchSizes,
    Devices,
    Interpreters,
    Modes,
    Optimizers,
    Out,
    Workloads,
    new_folder,
    select,
    select_backends,
    select_batch_sizes,
    select_devices,
    select_interpreters,
    select_modes,
    split,
)
from bench.errors import UsageError
from bench.profiles import MOST_ROUNDS, PROFILES, Profile, select_profile
from bench.run.signals import EXIT_TERMINATED, Termination
from bench.spec import OPTIMIZER_MATH, require
from bench.workloads import select_workloads

if TYPE_CHECKING:
    from bench.record.run import RunModel
    from bench.run.request import Request


def run(
    workload: Workloads = None,
    backend: Backends = None,
    device: Devices = None,
    mode: Modes = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(MEASURED_PRECISIONS)}; float32 without it."),
    ] = None,
    optimizer: Optimizers = None,
    batch_size: BatchSizes = None,
    profile: Annotated[
        str | None,
        typer.Option(help=f"How much to measure: {', '.join(PROFILES)}; standard without it."),
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
    out: Out = None,
    resume: Annotated[
        Path | None, typer.Option(help="Finish the run in this folder: run what has no record.")
    ] = None,
    python: Interpreters = None,
    as_json: AsJson = False,
) -> None:
    """Check, time and train every cell, each trial in a fresh process, and write the report."""
    from bench.run.request import Request

    request = Request(
        workloads=select_workloads(split(workload)),
        backends=select_backends(split(backend)),
        devices=select_devices(split(device)),
        profile=adjusted(
            select_profile(profile or "standard"), rounds, split(seeds), extend=extend
        ),
        modes=select_modes(split(mode)),
        precisions=select("precision", split(precision), MEASURED_PRECISIONS),
        optimizers=select("optimizer", split(optimizer), OPTIMIZER_MATH),
        batch_sizes=select_batch_sizes(split(batch_size)),
        interpreters=select_interpreters(python or ()),
        places=all_backends(),
    )
    if resume is not None:
        require_resumable(
            resume,
            *(workload, backend, device, mode, precision, optimizer, batch_size),
            *(profile, rounds, seeds, extend or None, out),
        )
    folder = resume or out or new_folder(request.profile.name)
    with Termination() as termination:
        try:
            finished = measure(request, folder, resume=resume is not None)
            named = bool(backend) if resume is None else is_choice(finished)
            code = conclude(finished, folder, named=named, as_json=as_json)
        except KeyboardInterrupt:
            # a second one, or one that came while the report was written
            termination.ignore()
            print(
                f"samestep: interrupted before there was a report; {advice(folder)}",
                file=sys.stderr,
            )
            code = EXIT_INTERRUPTED
    sys.exit(EXIT_TERMINATED if termination.came else code)


def require_resumable(folder: Path, *options: object) -> None:
    """Raise `UsageError` if an option stands beside `--resume`, or a GPU of the run has gone.

    Otherwise each trial of that GPU would leave a failure behind.
    """
    from bench.record.run import read_run
    from bench.run.carry_out import devices_of

    if any(option is not None for option in options):
        raise UsageError(
            "--resume finishes the plan that the run was started with. Expected: nothing beside it "
            "but --python and --json"
        )
    select_devices(devices_of(read_run(folder)))


def measure(request: "Request", folder: Path, *, resume: bool) -> "RunModel | None":
    """Carry out the run on the terminal's display; None if it was interrupted before a plan."""
    from bench.run.carry_out import carry_out
    from bench.run.display import TerminalDisplay

    with TerminalDisplay() as display:
        return carry_out(request, folder, resume=resume, display=display)


def is_choice(run: "RunModel | None") -> bool:
    """Return whether a resumed run has other backends than the default ones.

    Its folder does not say whether `--backend` named them.
    """
    return run is not None and set(run.backends) != set(DEFAULT_BACKENDS)


def advice(folder: Path) -> str:
    """Return what a user can do with what is in the folder."""
    from bench.record.run import RUN_FILE

    if not (folder / RUN_FILE).exists():
        return "there was no plan yet"
    return f"`samestep report {folder}` writes it, --resume finishes the run"


def adjusted(
    profile: Profile, rounds: int | None, seeds: Sequence[str], *, extend: bool = False
) -> Profile:
    """Return the profile with the rounds and the seeds that the options give."""
    if extend:
        profile = replace(profile, most_rounds=MOST_ROUNDS)
    if rounds is not None:
        require(rounds >= 0, "rounds", expected="0 or more", received=rounds)
        profile = replace(profile, rounds=rounds, judged=False)
    if list(seeds) == ["none"]:
        profile = replace(profile, seeds=())
    elif seeds:
        good = all(seed.isdecimal() and len(seed) < 10 for seed in seeds)
        require(good, "seeds", expected="numbers such as 0,1,2, or none", received=",".join(seeds))
        profile = replace(profile, seeds=tuple(dict.fromkeys(map(int, seeds))))
    return profile


def conclude(run: "RunModel | None", folder: Path, *, named: bool, as_json: bool) -> int:
    """Write the report of what there is, print where it is, and return the exit code."""
    from bench.record.stored import read_records
    from bench.run.carry_out import count_statuses, excuses, exit_code
    from reports.report import write_report

    if run is None:
        print("samestep: interrupted before there was a plan", file=sys.stderr)
        return EXIT_INTERRUPTED
    records = list(read_records(folder, run))
    # without a session it was interrupted when there was just a plan
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
