"""The task on its way from the parent to the worker: written as JSON, read back as dataclasses."""

import json
from dataclasses import asdict
from typing import IO, Any

from bench.spec import AccuracyPlan, Cell, Execution, ParityPlan, Setup, TimingPlan, Trial
from bench.worker.messages import BackendTask, PilotTask, Process, Task, TrialTask


def write_task(task: Task, process: Process, file: IO[bytes]) -> None:
    """Write the worker's standard input; dataclasses in it become JSON objects."""
    file.write(json.dumps({**task, **process}, default=asdict).encode())


def read_task(file: IO[str]) -> tuple[Task, Process]:
    """Return the task and the process that `write_task` wrote."""
    document = json.load(file)
    process = Process(
        result_descriptor=document["result_descriptor"],
        turn_descriptor=document["turn_descriptor"],
        spawned_monotonic=document["spawned_monotonic"],
        cache_folder=document.get("cache_folder"),
    )
    return task_from(document), process


def task_from(fields: Any) -> Task:
    """Return the task of a JSON object: a pilot's if it has cells, else a trial's."""
    named = BackendTask(backend=fields["backend"], adapter=fields["adapter"])
    if "cells" in fields:
        return PilotTask(**named, cells=[cell_from(cell) for cell in fields["cells"]])
    return TrialTask(
        **named,
        trial=trial_from(fields["trial"]),
        digests=fields["digests"],
        dump=fields["dump"],
    )


def cell_from(fields: Any) -> Cell:
    """Return the cell of a JSON object."""
    return Cell(**{**fields, "execution": Execution(**fields["execution"])})


def trial_from(fields: Any) -> Trial:
    """Return the trial of a JSON object."""
    parity, timing, accuracy = fields["parity"], fields["timing"], fields["accuracy"]
    setup = fields["setup"]
    return Trial(
        **{
            **fields,
            "cell": cell_from(fields["cell"]),
            "setup": setup and Setup(**setup),
            "parity": parity and ParityPlan(**parity),
            "timing": timing and TimingPlan(**timing),
            "accuracy": accuracy and AccuracyPlan(**accuracy),
        }
    )
