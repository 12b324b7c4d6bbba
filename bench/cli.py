"""The command line. Commands import what they need, so that `list` answers at once."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backends import BACKENDS, DEFAULT_BACKENDS
from bench import __version__
from bench.errors import SamestepError, UsageError
from bench.plan import PROFILES, Profile, select_profile
from bench.spec import require
from bench.workloads import WORKLOADS, select_workloads

if TYPE_CHECKING:
    from bench.display import TerminalDisplay
    from bench.record import Record
    from bench.run_file import RunModel

EXIT_INTERRUPTED = 130

app = typer.Typer(
    help="One workload, two frameworks, the same step: proved first, timed second.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
RunFolder = Annotated[Path, typer.Argument(help="The run's folder.", metavar="RUN")]


def main() -> None:
    """Run the command; an error of ours is one line on standard error and its exit code."""
    try:
        app()
    except SamestepError as error:
        print(f"samestep: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if show:
        print(f"samestep {__version__}")
        raise typer.Exit


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show the workloads, the backends and the profiles. Imports no framework."""
    if as_json:
        print(json.dumps({"workloads": workload_rows(), "backends": backend_rows(),
                          "profiles": profile_rows()}, indent=1))  # fmt: skip
        return
    from tabulate import tabulate

    for title, rows in (
        ("Workloads", workload_rows()),
        ("Backends", backend_rows()),
        ("Profiles", profile_rows()),
    ):
        print(f"{title}\n{tabulate(rows, headers='keys', tablefmt='simple', intfmt=',')}\n")


def workload_rows() -> list[dict[str, Any]]:
    return [
        {
            "name": workload.name,
            "parameters": workload.parameter_total,
            "optimizer": workload.optimizer.name,
            "batch": workload.batch_size,
            "epochs": workload.epochs,
            "published test accuracy": workload.published[0].test_accuracy,
        }
        for workload in WORKLOADS.values()
    ]


def backend_rows() -> list[dict[str, Any]]:
    return [
        {"name": name, "environment": place.environment, "default": name in DEFAULT_BACKENDS}
        for name, place in BACKENDS.items()
    ]


def profile_rows() -> list[dict[str, Any]]:
    return [
        {
            "name": profile.name,
            "rounds": profile.rounds,
            "seeds": len(profile.seeds),
            "training images": profile.train_images,
            "epochs unlike published": ", ".join(
                f"{name} {epochs}" for name, epochs in profile.epochs.items()
            ),
        }
        for profile in PROFILES.values()
    ]


@app.command()
def run(
    workload: Annotated[
        list[str] | None, typer.Option(help="Workloads, comma-separated; all without it.")
    ] = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(help=f"Backends, or 'all'; {', '.join(DEFAULT_BACKENDS)} without it."),
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="cpu, cuda:N; the CPU and the first GPU without it.")
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(help=f"How much to measure: {', '.join(PROFILES)}; standard without it."),
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(help="Rounds of timing trials, instead of the profile's.")
    ] = None,
    seeds: Annotated[
        list[str] | None,
        typer.Option(help="Seeds to train with, comma-separated, instead of the profile's."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's new folder; runs/... without it.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Finish the run in this folder: run what has no record.")
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(help="The interpreter for a backend.", metavar="BACKEND=PATH"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check, time and train every cell, each trial in a fresh process, and write the report."""
    from bench.display import TerminalDisplay
    from bench.run_file import read_run
    from bench.runner import Request

    backends = select_backends(split(backend))
    request = Request(
        workloads=select_workloads(split(workload)),
        backends=backends,
        devices=select_devices(split(device)),
        profile=adjusted(select_profile(profile or "standard"), rounds, split(seeds)),
        interpreters=select_interpreters(python or ()),
    )
    planned = (workload, backend, device, profile, rounds, seeds, out)
    if resume is not None and any(option is not None for option in planned):
        raise UsageError(
            "--resume finishes the plan that the run was started with. Expected: no --workload, "
            "--backend, --device, --profile, --rounds, --seeds or --out beside it"
        )
    folder = (
        resume or out or Path("runs") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{request.profile.name}"
    )
    started = None if resume is None else read_run(folder)
    if started is None:
        require_new(folder)
    with TerminalDisplay() as display:
        finished = carry_out(request, folder, started, display)
    # a run that is resumed does not say whether its backends were named or the default ones
    named = bool(backend) if started is None else set(started.backends) != set(DEFAULT_BACKENDS)
    sys.exit(conclude(finished, folder, named=named, as_json=as_json))


def split(values: Sequence[str] | None) -> list[str]:
    """`["a,b", "c"]` as `["a", "b", "c"]`."""
    return [part for value in values or () for part in value.split(",") if part]


def adjusted(profile: Profile, rounds: int | None, seeds: Sequence[str]) -> Profile:
    """The profile with another number of rounds or other seeds, where they were given."""
    if rounds is not None:
        require(rounds >= 0, "rounds", expected="0 or more", received=rounds)
        profile = replace(profile, rounds=rounds)
    if seeds:
        good = all(seed.isdecimal() and len(seed) < 10 for seed in seeds)
        require(good, "seeds", expected="numbers such as 0,1,2", received=",".join(seeds))
        profile = replace(profile, seeds=tuple(dict.fromkeys(map(int, seeds))))
    return profile


def select_backends(names: Sequence[str]) -> tuple[str, ...]:
    if "all" in names:
        return tuple(BACKENDS)
    unknown = [name for name in names if name not in BACKENDS]
    if unknown:
        raise UsageError(
            f"unknown backend. Expected: all, {', '.join(BACKENDS)}. Received: {', '.join(unknown)}"
        )
    return tuple(dict.fromkeys(names)) or DEFAULT_BACKENDS


def select_devices(names: Sequence[str]) -> tuple[str, ...]:
    """The devices asked for, or the CPU and the first GPU; each must be on this machine."""
    from bench.environment import gpus

    found = ("cpu", *(f"cuda:{index}" for index in range(len(gpus()))))
    wanted = ["cuda:0" if name == "cuda" else name for name in names] or found[:2]
    absent = [name for name in wanted if name not in found]
    if absent:
        raise UsageError(
            f"no such device on this machine. Expected: one of {', '.join(found)}. "
            f"Received: {', '.join(absent)}"
        )
    return tuple(dict.fromkeys(wanted))


def select_interpreters(pairs: Iterable[str]) -> dict[str, str]:
    """`BACKEND=PATH` pairs; this interpreter for every backend that is not named."""
    interpreters = dict.fromkeys(BACKENDS, sys.executable)
    for pair in pairs:
        name, _, path = pair.partition("=")
        require(
            name in BACKENDS, "--python BACKEND=PATH", expected=", ".join(BACKENDS), received=pair
        )
        # as a text: Path would drop the ./ that keeps `which` from searching PATH
        found = shutil.which(str(Path(path).expanduser()) if path.startswith("~") else path)
        if found is None:
            raise UsageError(f"no interpreter for {name}. Expected: a Python. Received: {path!r}")
        # absolute, but not resolved: an environment's python is a link, and knows itself by it
        interpreters[name] = str(Path(found).absolute())
    return interpreters


def require_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is in use. Expected: a new or empty folder. "
            f"To finish the run in it: --resume {folder}"
        )


def carry_out(
    request: Any, folder: Path, started: "RunModel | None", display: "TerminalDisplay"
) -> "RunModel | None":
    """The run as far as it came; None where it was interrupted before there was a plan."""
    from bench.run_file import read_run
    from bench.runner import Runner
    from bench.spawn import worker_packages

    run = started
    try:
        with worker_packages(*request.packages) as packages:
            runner = Runner(request, folder, packages, display)
            if run is None:
                run = runner.new_run()
            else:
                runner.resume(run)
            return runner.execute(run)
    except KeyboardInterrupt:
        return None if run is None else read_run(folder)


def conclude(run: "RunModel | None", folder: Path, *, named: bool, as_json: bool) -> int:
    """Write the report of what there is, say where it lies, and give the exit code."""
    from bench.run_file import read_records
    from reports.markdown import write_report

    if run is None:
        print("samestep: interrupted before there was a plan", file=sys.stderr)
        return EXIT_INTERRUPTED
    records = list(read_records(folder, run))
    interrupted = bool(run.sessions) and run.sessions[-1].outcome == "interrupted"
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
    return exit_code(records, len(run.trials), named=named)


def count_statuses(records: Iterable["Record"]) -> dict[str, int]:
    statuses = [record.status for record in records]
    return {status: statuses.count(status) for status in sorted(set(statuses))}


def exit_code(records: Sequence["Record"], planned: int, *, named: bool) -> int:
    """0 where all that was asked for ran; an unavailable default backend is only a warning."""
    excused = {"ok"} if named else {"ok", "unavailable"}
    measured = any(record.status == "ok" for record in records)
    complete = len(records) == planned
    good = all(record.status in excused for record in records)
    return 0 if measured and complete and good else 1


@app.command()
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
