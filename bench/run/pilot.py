"""What the pilots of a run reported: figures of cells, facts of backends, and misses."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from bench.machine.gpu_support import Build, Support
from bench.record import first_problem
from bench.record.calibration import CalibrationModel, calibrations
from bench.record.home_folder import shortened
from bench.record.run import BackendModel, PilotModel
from bench.run.outcome import Outcome
from bench.spec import Cell, Status, Trial
from bench.worker.messages import PilotFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A cell that can't be planned, with the status and the reason that its record gets."""

    status: Status
    reason: str


@dataclass(slots=True, kw_only=True)
class Pilot:
    """What the pilots reported: figures of the cells that run, and why the others don't."""

    backends: dict[str, BackendModel] = field(default_factory=dict)
    figures: dict[Cell, PilotModel] = field(default_factory=dict)
    misses: dict[Cell, Miss] = field(default_factory=dict)
    calibration: list[CalibrationModel] = field(default_factory=list)


def add_outcome(
    pilot: Pilot, backend: str, cells: Sequence[Cell], outcome: Outcome, wall_seconds: float
) -> None:
    """Add what one pilot reported: its backend, and each of its cells as figures or a miss."""
    result = outcome.reported
    # a process takes its time to end too, and every trial pays it
    ending = max(0.0, wall_seconds - result.get("timings", {}).get("total_seconds", wall_seconds))
    known = pilot.backends.get(backend)
    if known is None or known.unavailable is not None:
        pilot.backends[backend] = backend_model(outcome)
    pilot.calibration += calibrations(backend, result.get("calibrations", ()))
    entries = {entry["cell"]: entry for entry in result.get("cells", ())}
    for cell in cells:
        entry = entries.get(cell.label)
        if entry is None:
            pilot.misses[cell] = Miss(status=outcome.status, reason=f"{outcome.reason} (pilot)")
        elif "reason" in entry:
            pilot.misses[cell] = Miss(status=entry["status"], reason=f"{entry['reason']} (pilot)")
        else:
            pilot.figures[cell] = measured_cell(entry, ending)


def backend_model(outcome: Outcome) -> BackendModel:
    """Return what a pilot reported of its backend; unavailable if that can't be stored."""
    result = outcome.reported
    try:
        found = BackendModel(
            versions=result.get("versions", {}),
            devices=result.get("devices", []),
            unavailable=outcome.reason,
            architectures=result.get("architectures"),
        )
        return found.model_copy(update={"unavailable": shortened(found.unavailable)})
    except ValidationError as error:
        reason = f"its versions or devices can't be read: {first_problem(error)}"
        return BackendModel(versions={}, devices=[], unavailable=reason)


def add_hopeless(pilot: Pilot, cells: Sequence[Cell], found: Support) -> None:
    """Add the reason for which these cells are not tried at all."""
    status: Status = "unavailable" if found.verdict == "unavailable" else "unsupported"
    for cell in cells:
        pilot.misses[cell] = Miss(status=status, reason=found.reason or "")


def add_doubt(pilot: Pilot, cells: Sequence[Cell], found: Support) -> None:
    """Add what may have been the cause to the misses of cells that were tried."""
    for cell in cells:
        miss = pilot.misses.get(cell)
        if found.verdict == "doubtful" and miss is not None and miss.status != "unsupported":
            reason = f"{miss.reason}; {found.reason}"
            pilot.misses[cell] = Miss(status=miss.status, reason=reason)


def build_of(found: BackendModel) -> Build:
    """Return what the backend's packages were built for."""
    return Build(
        devices=found.devices, cuda=found.versions.get("cuda"), architectures=found.architectures
    )


def measured_cell(figures: PilotFigures, ending_seconds: float) -> PilotModel:
    """Return a cell's figures as they stand in `run.json`.

    `ending_seconds` are those that the process took to end.
    """
    return PilotModel(
        cell=figures["cell"],
        setup_seconds=figures["setup_seconds"] + ending_seconds,
        step_seconds=figures["step_seconds"],
        steps_per_block=figures["steps_per_block"],
        native_step_seconds=figures["native_step_seconds"],
        steps_per_call=figures["steps_per_call"],
        compile_seconds=figures["compile_seconds"],
    )


def missed_trial(cell: Cell) -> Trial:
    """Return the trial that stands in the plan for a cell that can't run."""
    return Trial(kind="timing", cell=cell, seed=0, round=0)
