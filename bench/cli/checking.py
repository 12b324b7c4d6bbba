"""`samestep doctor`."""

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backends import DEFAULT_BACKENDS
from bench.cli.options import AsJson, lock_names

if TYPE_CHECKING:
    from bench.doctor import PreflightModel

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
    seconds: Annotated[float | None, typer.Option(hidden=True)] = None,
    as_json: AsJson = False,
) -> None:
    """Look whether this machine is fit to be measured on. Exit 1 where it is not."""
    from bench.doctor import LOOK_SECONDS

    watched = LOOK_SECONDS if seconds is None else seconds
    print(f"looking at the machine for {watched:g} s", file=sys.stderr)
    found = examine(watched, out)
    print(json.dumps(found.model_dump(), indent=1) if as_json else as_text(found))
    sys.exit(1 if found.verdict == "unfit" else 0)


def examine(seconds: float, place: Path) -> "PreflightModel":
    """Everything that a run may use: all GPUs, and the locks."""
    from bench.doctor import judge
    from bench.gpus import gpus
    from bench.lock import holder
    from bench.sensing import look

    devices = [f"cuda:{index}" for index in range(len(gpus()))]
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
