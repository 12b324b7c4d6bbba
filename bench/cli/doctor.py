"""`samestep doctor`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backends import DEFAULT_BACKENDS
from bench.cli.doctor_environments import as_json as environments_as_json
from bench.cli.doctor_environments import as_text as environments_as_text
from bench.cli.doctor_environments import look_into
from bench.cli.options import (
    FLAG,
    NAMES,
    AsJson,
    Interpreters,
    select_backends,
    select_interpreters,
    split,
)
from bench.cli.table import paragraph, table

if TYPE_CHECKING:
    from bench.machine.devices import Gpu
    from bench.record.preflight import PreflightModel
    from bench.run.environments import Installed

HEADERS = ("finding", "value", "verdict", "reason")
CONCLUSIONS = {
    "fit": "This machine is fit to be measured on.",
    "doubtful": "A run now may be disturbed, and its report says so.",
    "unfit": "What a run measures now says little about this machine.",
    "unknown": "This system tells nothing.",
}


def doctor(
    out: Annotated[
        Path,
        typer.Option(help="Folder of the planned run, whose disk needs room.", metavar="FOLDER"),
    ] = Path("runs"),
    environments: Annotated[
        bool,
        typer.Option(
            "--environments",
            help="Also check each backend's environment: some seconds per backend.",
            metavar=FLAG,
        ),
    ] = False,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            "--backend",
            help="Backends to check. Default: all. Implies --environments.",
            metavar=NAMES,
        ),
    ] = None,
    python: Interpreters = None,
    # hidden: tests look for a fraction of a second
    seconds: Annotated[float | None, typer.Option(hidden=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Check if this machine is quiet enough to benchmark.

    Exits with 1 if it is not, or if a backend you named cannot be used.
    """
    from bench.machine.doctor import LOOK_SECONDS
    from bench.machine.nvml import visible_gpus

    backends = select_backends(split(backend) or ["all"])
    interpreters = select_interpreters(python or ())
    duration = LOOK_SECONDS if seconds is None else seconds
    print(f"looking at the machine for {duration:g} s", file=sys.stderr)
    gpus = visible_gpus()
    devices = [gpu.device for gpu in gpus]
    preflight = examine(duration, out, devices)
    installed = None
    if environments or backend or python:
        from bench.machine.run_lock import hold_machine

        # a check during a run would disturb what that run times
        with hold_machine(devices, "doctor", out):
            installed = look_into(backends, interpreters, gpus)
    answer = answer_as_json if as_json else answer_as_text
    print(answer(preflight, installed, gpus))
    unusable = bool(backend) and not all(environment.good for environment in installed or ())
    sys.exit(1 if preflight.verdict == "unfit" or unusable else 0)


def answer_as_json(
    preflight: "PreflightModel", installed: "Sequence[Installed] | None", gpus: "Sequence[Gpu]"
) -> str:
    """Return the preflight, and the environments if they were checked, as one JSON object."""
    more = {} if installed is None else {"environments": environments_as_json(installed, gpus)}
    return json.dumps({**preflight.model_dump(), **more}, indent=1)


def answer_as_text(
    preflight: "PreflightModel", installed: "Sequence[Installed] | None", gpus: "Sequence[Gpu]"
) -> str:
    """Return the same for a terminal."""
    more = [] if installed is None else [environments_as_text(installed, gpus)]
    return "\n\n".join([as_text(preflight), *more])


def examine(seconds: float, place: Path, devices: Sequence[str]) -> "PreflightModel":
    """Judge all that a run may use: the machine, these GPUs and their locks.

    `place` is a folder on the disk that needs room.
    """
    from bench.machine.doctor import judge
    from bench.machine.lock import holder
    from bench.machine.look import look
    from bench.machine.run_lock import lock_names

    sighting = look(seconds, place, devices, len(DEFAULT_BACKENDS))
    holders = [text for name in lock_names(devices) if (text := holder(name)) is not None]
    return judge(sighting.model_copy(update={"lock_holders": list(dict.fromkeys(holders))}))


def as_text(preflight: "PreflightModel") -> str:
    """Draw a table of the findings, with a reason for each that is not fit, and the conclusion."""
    rows = [
        (
            finding.name,
            finding.value or "unknown",
            finding.verdict,
            "" if finding.verdict == "fit" else finding.reason,
        )
        for finding in preflight.findings
    ]
    return f"{table(HEADERS, rows)}\n\n{paragraph(conclusion(preflight))}"


def conclusion(preflight: "PreflightModel") -> str:
    """Write the verdict and, if it is bad, the findings that decided it."""
    verdict = preflight.verdict
    if verdict not in {"doubtful", "unfit"}:
        return CONCLUSIONS[verdict]
    names = ", ".join(finding.name for finding in preflight.findings if finding.verdict == verdict)
    return f"{verdict.capitalize()}: {names}. {CONCLUSIONS[verdict]}"
