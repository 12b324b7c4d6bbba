"""`samestep doctor`."""

import json
import shutil
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
    AsJson,
    Interpreters,
    lock_names,
    machine_held,
    select_backends,
    select_interpreters,
    split,
)

if TYPE_CHECKING:
    from bench.machine.devices import Gpu
    from bench.record.preflight import PreflightModel
    from bench.run.environments import Installed

HEADERS = ("finding", "value", "verdict", "reason")
WIDEST_VALUE = 40
NARROWEST_REASON = 24
CONCLUSIONS = {
    "fit": "This machine is fit to be measured on.",
    "doubtful": "A run now may be disturbed, and its report says so.",
    "unfit": "What a run measures now says little about this machine.",
    "unknown": "This system tells nothing.",
}


def doctor(
    out: Annotated[
        Path, typer.Option(help="Where a run would go: the disk that needs room.")
    ] = Path("runs"),
    environments: Annotated[
        bool,
        typer.Option(
            "--environments",
            help="Also ask each backend's interpreter what it has: some seconds a backend.",
        ),
    ] = False,
    backend: Annotated[
        list[str] | None,
        typer.Option("--backend", help="With --environments: these alone; all without it."),
    ] = None,
    python: Interpreters = None,
    seconds: Annotated[float | None, typer.Option(hidden=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Look whether this machine is fit to be measured on. Exit 1 where it is not.

    Or where a backend that was named can't be used.
    """
    from bench.machine.doctor import LOOK_SECONDS
    from bench.machine.nvml import visible_gpus

    backends = select_backends(split(backend) or ["all"])
    interpreters = select_interpreters(python or ())
    watched = LOOK_SECONDS if seconds is None else seconds
    print(f"looking at the machine for {watched:g} s", file=sys.stderr)
    gpus = visible_gpus()
    devices = [gpu.device for gpu in gpus]
    found = examine(watched, out, devices)
    installed = None
    if environments or backend or python:
        # it would disturb a run that is timed
        with machine_held(devices, "doctor", out):
            installed = look_into(backends, interpreters, gpus)
    print(told_as_json(found, installed, gpus) if as_json else told_as_text(found, installed, gpus))
    lacking = bool(backend) and not all(one.good for one in installed or ())
    sys.exit(1 if found.verdict == "unfit" or lacking else 0)


def told_as_json(
    found: "PreflightModel", installed: "Sequence[Installed] | None", gpus: "Sequence[Gpu]"
) -> str:
    more = {} if installed is None else {"environments": environments_as_json(installed, gpus)}
    return json.dumps({**found.model_dump(), **more}, indent=1)


def told_as_text(
    found: "PreflightModel", installed: "Sequence[Installed] | None", gpus: "Sequence[Gpu]"
) -> str:
    more = [] if installed is None else [environments_as_text(installed, gpus)]
    return "\n\n".join([as_text(found), *more])


def examine(seconds: float, place: Path, devices: Sequence[str]) -> "PreflightModel":
    """Everything that a run may use: these GPUs, and the locks."""
    from bench.machine.doctor import judge
    from bench.machine.lock import holder
    from bench.machine.look import look

    seen = look(seconds, place, devices, len(DEFAULT_BACKENDS))
    holders = [who for name in lock_names(devices) if (who := holder(name)) is not None]
    return judge(seen.model_copy(update={"lock_holders": list(dict.fromkeys(holders))}))


def as_text(found: "PreflightModel") -> str:
    """A table as wide as the terminal, with reasons where all is not well, and the conclusion."""
    from tabulate import tabulate

    findings = [(one.name, one.value or "unknown", one.verdict) for one in found.findings]
    reasons = ["" if one.verdict == "fit" else one.reason for one in found.findings]
    values = [None, WIDEST_VALUE, None]
    narrow = tabulate(findings, HEADERS[:3], maxcolwidths=values, disable_numparse=True)
    left = shutil.get_terminal_size().columns - len(narrow.splitlines()[1]) - 2
    table = tabulate(
        [(*finding, reason) for finding, reason in zip(findings, reasons, strict=True)],
        HEADERS,
        maxcolwidths=[*values, max(NARROWEST_REASON, left)],
        disable_numparse=True,
    )
    return f"{table}\n\n{conclusion(found)}"


def conclusion(found: "PreflightModel") -> str:
    """One line that names what decided it."""
    if found.verdict not in {"doubtful", "unfit"}:
        return CONCLUSIONS[found.verdict]
    names = ", ".join(one.name for one in found.findings if one.verdict == found.verdict)
    return f"{found.verdict.capitalize()}: {names}. {CONCLUSIONS[found.verdict]}"
