"""Models of a run's `run.json`: the plan, its backends and pilot figures, and its sessions."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field, ValidationError

from bench.errors import RecordError
from bench.files import write_atomically
from bench.record import (
    EnvironmentModel,
    Strict,
    TrialModel,
    first_problem,
    read_strict_json,
)
from bench.record.calibration import CalibrationModel
from bench.record.preflight import PreflightModel


class BackendModel(Strict):
    """What the pilot reported of a backend; `unavailable` is the reason if it can't be used.

    `architectures` are the GPU architectures that it has kernels for; None if it does not say.
    `environment_of` names the backend, if this is another environment for it, with another Python.
    """

    versions: dict[str, str]
    devices: list[str]
    unavailable: str | None
    architectures: list[str] | None = None
    environment_of: str | None = None


class PilotModel(Strict):
    """What the pilot measured for a cell before the plan was made; the basis of the estimate.

    `setup_seconds` is the time from spawn to the end of the first step, plus the end of the
    process, less `compile_seconds`. `compile_seconds` is how much longer the first step took than
    another step.
    """

    cell: str
    setup_seconds: float
    step_seconds: float
    steps_per_block: int
    native_step_seconds: float
    steps_per_call: int = 1
    compile_seconds: float = 0.0


SessionOutcome: TypeAlias = Literal["complete", "interrupted", "killed"]


class SessionModel(Strict):
    """One session of a run: a run that is resumed has several.

    `worker_seconds` are the wall seconds in which a worker ran. `parent_cpu_seconds` is the CPU
    time of the harness meanwhile. `preflight` describes the machine before the session. Runs of
    early versions have none of these. A killed session took at least these seconds: they were
    written after its last trial.
    """

    started: str
    wall_seconds: float
    outcome: SessionOutcome
    worker_seconds: float | None = None
    parent_cpu_seconds: float | None = None
    preflight: PreflightModel | None = None


class RunModel(Strict):
    """The plan and its sessions. A run of parity alone has no pilot figures and no estimate.

    Trials are added to `trials` while the run goes on: repeats of disturbed trials, at most
    `most_repeats`, and rounds, up to `most_rounds`. Rounds are also added while a cell was steady
    in fewer than `steady_rounds` rounds, which its verdicts need.
    """

    schema_version: Literal[1]
    run_id: str
    samestep: str
    created: str
    profile: str
    most_repeats: int = 0
    most_rounds: int = 0
    steady_rounds: int = 0
    order_seed: int
    environment: EnvironmentModel
    backends: dict[str, BackendModel]
    pilot: list[PilotModel]
    pilot_seconds: float
    calibration: list[CalibrationModel] = Field(default_factory=list)
    estimate_seconds: float | None
    trials: list[TrialModel]
    sessions: list[SessionModel]

    @property
    def versus(self) -> dict[str, str]:
        """Return by its name the backend of each further environment of a backend."""
        return {
            name: entry.environment_of
            for name, entry in self.backends.items()
            if entry.environment_of is not None
        }


RUN_FILE = "run.json"


def now() -> str:
    """Return the time of day in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def run_bytes(run: RunModel) -> bytes:
    """Return the content of `run.json`, which is also what is hashed.

    Fields of later versions that an old file does not have are left out.
    """
    document = run.model_dump(exclude_unset=True)
    return f"{json.dumps(document, allow_nan=False, indent=1)}\n".encode()


def write_run(run: RunModel, folder: Path) -> None:
    """Write `run.json` into the folder; raises `WriteError`."""
    write_atomically(folder / RUN_FILE, run_bytes(run))


def read_run(folder: Path) -> RunModel:
    """Return the run of the folder; raises `RecordError` if it holds none."""
    require_run(folder)
    document = read_strict_json(folder / RUN_FILE)
    try:
        return RunModel.model_validate(document)
    except ValidationError as error:
        raise RecordError(f"{folder / RUN_FILE} is not a run: {first_problem(error)}") from error


def require_run(folder: Path) -> None:
    """Raise `RecordError` if the folder holds no run; a file that can't be looked at is none."""
    try:
        (folder / RUN_FILE).lstat()
    except OSError as error:
        raise RecordError(
            f"{folder} holds no run. Expected: a run's folder, with {RUN_FILE}. "
            f"Received: {error.strerror}"
        ) from error
