"""A run's folder and its `run.json`: the plan, what was found of backends, and what it took."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from bench.calibration import CalibrationModel
from bench.doctor import PreflightModel
from bench.errors import RecordError
from bench.files import write_atomically
from bench.plan import PilotFigures
from bench.record import (
    EnvironmentModel,
    Record,
    Strict,
    TrialModel,
    first_problem,
    read_record,
    read_strict_json,
)


class BackendModel(Strict):
    """What the pilot found; `unavailable` is the reason where it could not be used.

    `architectures` are those it has kernels for; None where it does not tell.
    """

    versions: dict[str, str]
    devices: list[str]
    unavailable: str | None
    architectures: list[str] | None = None


class PilotModel(Strict):
    """What the pilot measured for a cell before the plan was made; the ground of the estimate."""

    cell: str
    setup_seconds: float
    step_seconds: float
    steps_per_block: int
    native_step_seconds: float
    steps_per_call: int = 1
    compile_seconds: float = 0.0

    def figures(self) -> PilotFigures:
        return PilotFigures(**self.model_dump(exclude={"cell"}))


class SessionModel(Strict):
    """One sitting: a run that is resumed has several.

    `worker_seconds` are those in which a worker ran, `parent_cpu_seconds` the CPU time that the
    harness itself took meanwhile, `preflight` what the machine was like before; runs of early
    versions have none of these.
    """

    started: str
    wall_seconds: float
    outcome: Literal["complete", "interrupted"]
    worker_seconds: float | None = None
    parent_cpu_seconds: float | None = None
    preflight: PreflightModel | None = None


class RunModel(Strict):
    """The plan and its sittings. A run of parity alone has no pilot figures and no estimate.

    Repeats of disturbed trials, at most `most_repeats`, and rounds, up to `most_rounds`, join
    `trials` while the run goes on.
    """

    schema_version: Literal[1]
    run_id: str
    samestep: str
    created: str
    profile: str
    most_repeats: int = 0
    most_rounds: int = 0
    order_seed: int
    environment: EnvironmentModel
    backends: dict[str, BackendModel]
    pilot: list[PilotModel]
    pilot_seconds: float
    calibration: list[CalibrationModel] = Field(default_factory=list)
    estimate_seconds: float | None
    trials: list[TrialModel]
    sessions: list[SessionModel]


RUN_FILE = "run.json"
RECORDS = "records"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_run(run: RunModel, folder: Path) -> None:
    text = json.dumps(run.model_dump(), allow_nan=False, indent=1)
    write_atomically(folder / RUN_FILE, f"{text}\n".encode())


def read_run(folder: Path) -> RunModel:
    """Raises `RecordError` where `folder` holds no run."""
    document = read_strict_json(folder / RUN_FILE)
    try:
        return RunModel.model_validate(document)
    except ValidationError as error:
        raise RecordError(f"{folder / RUN_FILE} is not a run: {first_problem(error)}") from error


def record_path(folder: Path, trial: TrialModel) -> Path:
    return folder / RECORDS / f"{trial.trial().name}.json"


def read_records(folder: Path, run: RunModel) -> Iterator[Record]:
    """The records of the plan's trials that exist, in the plan's order.

    Raises `RecordError` for one that is damaged or belongs to another run or trial.
    """
    for trial in run.trials:
        path = record_path(folder, trial)
        if not path.exists():
            continue
        record = read_record(path)
        if record.run_id != run.run_id or record.trial != trial:
            raise RecordError(
                f"{path.name} belongs to another run or trial. Expected: run {run.run_id}. "
                f"Received: run {record.run_id}. Move it out of the folder"
            )
        yield record
