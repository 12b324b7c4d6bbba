"""The way from the task on standard input to the result on the pipe."""

import json
import os
import sys
import traceback
from typing import Any

from bench.errors import one_line
from bench.worker.accuracy import AccuracyJob
from bench.worker.job import Job, reason_of, status_of
from bench.worker.parity import ParityJob
from bench.worker.pilot import PilotJob
from bench.worker.timing import TimingJob

JOBS: dict[str, type[Job]] = {
    "parity": ParityJob,
    "timing": TimingJob,
    "accuracy": AccuracyJob,
}


def main() -> None:
    """Do the job on standard input; send its events, and its result last."""
    task = json.load(sys.stdin)
    with os.fdopen(task["result_descriptor"], "w", encoding="utf-8") as pipe:

        def send(event: dict[str, Any]) -> None:
            pipe.write(json.dumps(event, allow_nan=False) + "\n")
            pipe.flush()

        job = job_for(task)(task, send)
        try:
            job.run()
        except Exception as error:
            traceback.print_exc()
            job.result.update(status=status_of(error), reason=reason_of(error))
        job.finish()
        try:
            send({"event": "result", "result": job.result})
        except (TypeError, ValueError) as error:
            reason = f"the result does not fit into JSON: {one_line(error)}"
            send({"event": "result", "result": {"status": "failed", "reason": reason}})


def job_for(task: dict[str, Any]) -> type[Job]:
    """Return the pilot for a task with cells, else the job of the trial's kind."""
    if "cells" in task:
        return PilotJob
    return JOBS[task["trial"]["kind"]]
