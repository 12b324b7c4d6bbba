"""`samestep parity`."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import options
from bench.cli.options import CERTIFIED_PRECISIONS, EXIT_INTERRUPTED, make_request, select, split
from bench.profiles import CERTIFICATE, Profile
from bench.spec import Precision, require

if TYPE_CHECKING:
    from bench.run.request import Request
    from reports.results.cells import CellResults


def parity(
    workload: options.Workloads = None,
    backend: options.Backends = None,
    device: options.Devices = None,
    mode: options.Modes = None,
    precision: options.CertifiedPrecisions = None,
    optimizer: options.Optimizers = None,
    out: options.Out = None,
    junit: Annotated[
        Path | None, typer.Option(help="Also write JUnit XML.", metavar="FILE")
    ] = None,
    dump: Annotated[
        Path | None,
        typer.Option(help="Also write weights, batch and results as .npz.", metavar="DIR"),
    ] = None,
    python: options.Interpreters = None,
    as_json: options.AsJson = False,
) -> None:
    """Check that every backend computes what the workload says. Exits with 1 if one does not."""
    precisions = select_precisions(split(precision))
    profile = parity_profile(precisions, dumping=dump is not None)
    request = replace(
        make_request(workload, backend, device, mode, optimizer, python, profile=profile),
        precisions=[name for name in precisions if name != "float64"] or ["float32"],
        dump=dump,
    )
    folder = out or options.new_folder("parity")
    cells = certify(request, folder)
    answer(cells, junit, as_json=as_json)
    passed = all(
        results.is_complete or (results.is_unsupported and "all" in split(mode))
        for results in cells
    )
    print(f"records: {folder}", file=sys.stderr)
    sys.exit(0 if passed and cells else 1)


def select_precisions(names: Sequence[str]) -> tuple[Precision, ...]:
    """Return the precisions, each once; float64 and float32 if there are no names."""
    if not names:
        return CERTIFIED_PRECISIONS[:2]
    return select("precision", names, CERTIFIED_PRECISIONS)


def parity_profile(precisions: Sequence[Precision], *, dumping: bool) -> Profile:
    """Return a profile of the certificate's plans in these precisions, without measurements."""
    require(
        not dumping or "float64" in precisions,
        "--dump writes what the float64 trials compute",
        expected="float64 among --precision",
        received=",".join(precisions),
    )
    exact, measured = CERTIFICATE
    plans = [exact] if "float64" in precisions else []
    plans += [measured] if set(precisions) - {"float64"} else []
    return Profile(name="parity", rounds=0, seeds=(), parity=tuple(plans))


def certify(request: "Request", folder: Path) -> "tuple[CellResults, ...]":
    """Run the parity trials and return their results per cell; exit with 130 if interrupted."""
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
    """Write verdicts and figures to standard output, the JUnit file and GitHub's summary."""
    from bench.files import write_atomically
    from reports.exports import parity as export
    from reports.exports.junit import as_junit

    if as_json:
        print(json.dumps({"certificates": export.as_json(cells)}, indent=1))
    else:
        print(export.as_text(cells))
    if junit is not None:
        write_atomically(junit, as_junit(cells))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        append(Path(summary), export.as_markdown(cells))


def append(path: Path, text: str) -> None:
    """Append to GitHub's summary, which may hold the text of earlier steps."""
    from bench.files import writing

    with writing(path), path.open("a", encoding="utf-8") as file:
        file.write(text)
