"""`samestep parity`."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backends import all_backends
from bench.cli.options import (
    EXIT_INTERRUPTED,
    MEASURED_PRECISIONS,
    AsJson,
    Backends,
    Devices,
    Interpreters,
    Modes,
    Optimizers,
    Out,
    Workloads,
    new_folder,
    select,
    select_backends,
    select_devices,
    select_interpreters,
    select_modes,
    split,
)
from bench.profiles import CERTIFICATE, Profile
from bench.spec import OPTIMIZER_MATH, require
from bench.workloads import select_workloads

if TYPE_CHECKING:
    from bench.run.request import Request
    from reports.results.cells import CellResults

# float64 certifies the math, the others what is measured
CERTIFIED = ("float64", *MEASURED_PRECISIONS)


def parity(
    workload: Workloads = None,
    backend: Backends = None,
    device: Devices = None,
    mode: Modes = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(CERTIFIED)}; float64 and float32 without it."),
    ] = None,
    optimizer: Optimizers = None,
    out: Out = None,
    junit: Annotated[
        Path | None, typer.Option(help="Also write JUnit XML.", metavar="FILE")
    ] = None,
    dump: Annotated[
        Path | None,
        typer.Option(help="Also write weights, batch and results as .npz.", metavar="DIR"),
    ] = None,
    python: Interpreters = None,
    as_json: AsJson = False,
) -> None:
    """Check that every backend computes what the workload says. Exit 1 where one does not."""
    from bench.run.request import Request

    request = Request(
        workloads=select_workloads(split(workload)),
        backends=select_backends(split(backend)),
        devices=select_devices(split(device)),
        profile=profile_of(split(precision), dumping=dump is not None),
        modes=select_modes(split(mode)),
        precisions=[name for name in split(precision) if name != "float64"] or ["float32"],
        optimizers=select("optimizer", split(optimizer), OPTIMIZER_MATH),
        interpreters=select_interpreters(python or ()),
        places=all_backends(),
        dump=dump,
    )
    folder = out or new_folder("parity")
    cells = certify(request, folder)
    answer(cells, junit, as_json=as_json)
    passed = all(
        results.complete or (results.unsupported and "all" in split(mode)) for results in cells
    )
    print(f"records: {folder}", file=sys.stderr)
    sys.exit(0 if passed and cells else 1)


def profile_of(precisions: list[str], *, dumping: bool) -> Profile:
    """Return a profile of the certificate's plans in these precisions, without measurements."""
    wanted = select("precision", precisions, CERTIFIED) if precisions else CERTIFIED[:2]
    require(
        not dumping or "float64" in wanted,
        "--dump writes what the float64 trials compute",
        expected="float64 among --precision",
        received=",".join(wanted),
    )
    exact, measured = CERTIFICATE
    plans = [exact] if "float64" in wanted else []
    plans += [measured] if set(wanted) - {"float64"} else []
    return Profile(name="parity", rounds=0, seeds=(), parity=tuple(plans))


def certify(request: "Request", folder: Path) -> "tuple[CellResults, ...]":
    """Run the parity trials and return what their records say; exit if interrupted."""
    from bench.record.stored import read_records
    from bench.run import carry_out
    from bench.run.display import TerminalDisplay
    from reports.results.cells import group

    with TerminalDisplay() as display:
        run = carry_out.certify(request, folder, display)
    if run is None:
        print("samestep: interrupted", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    return group(run, read_records(folder, run))


def answer(cells: "tuple[CellResults, ...]", junit: Path | None, *, as_json: bool) -> None:
    """Write the verdict and its figures to standard output and to the files that are named."""
    from bench.files import write_atomically
    from reports.exports import parity as shown
    from reports.exports.junit import as_junit

    if as_json:
        print(json.dumps({"certificates": shown.as_json(cells)}, indent=1))
    else:
        print(shown.as_text(cells))
    if junit is not None:
        write_atomically(junit, as_junit(cells))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        append(Path(summary), shown.as_markdown(cells))


def append(path: Path, text: str) -> None:
    """Append to GitHub's summary, which may hold what other steps wrote."""
    from bench.files import writing

    with writing(path), path.open("a", encoding="utf-8") as file:
        file.write(text)
