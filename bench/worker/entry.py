"""Read the task on standard input, do its job, and send the result on the pipe."""

import json
import os
import sys
import traceback
from collections.abc import Callable

from bench.errors import one_line
from bench.spec import TrialKind
from bench.worker.accuracy import AccuracyJob
from bench.worker.job import Job, Send, reason_of, status_of
from bench.worker.messages import Event, Process, Result, Task, TrialTask
from bench.worker.parity import ParityJob
from bench.worker.pilot import PilotJob
from bench.worker.task import read_task
from bench.worker.timing import TimingJob

JOBS: dict[TrialKind, Callable[[TrialTask, Process, Send], Job]] = {
    "parity": ParityJob,
    "timing": TimingJob,
    "accuracy": AccuracyJob,
}


def main() -> None:
    """Do the job on standard input; send its events, and its result last."""
    task, process = read_task(sys.stdin)
    with os.fdopen(process["result_descriptor"], "w", encoding="utf-8") as pipe:

        def send(event: Event) -> None:
            pipe.write(json.dumps(event, allow_nan=False) + "\n")
            pipe.flush()

        job = job_for(task, process, send)
        try:
            job.run()
        except Exception as error:
            traceback.print_exc()
            job.result["status"], job.result["reason"] = status_of(error), reason_of(error)
        job.finish()
        try:
            send({"event": "result", "result": job.result})
        except (TypeError, ValueError) as error:
            reason = f"the result does not fit into JSON: {one_line(error)}"
            send({"event": "result", "result": Result(status="failed", reason=reason)})


def job_for(task: Task, process: Process, send: Send) -> Job:
    """Return the pilot for a task with cells, else the job of the trial's kind."""
    if "cells" in task:
        return PilotJob(task, process, send)
    return JOBS[task["trial"].kind](task, process, send)
