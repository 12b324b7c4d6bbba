"""Run a single worker, for tests of one process."""

import random
from pathlib import Path
from typing import Any

from bench.run.outcome import Outcome
from bench.run.process import Launch, Listener, Worker, run_in_turns


def run_worker(job: dict[str, Any], launch: Launch, log: Path, listen: Listener) -> Outcome:
    """Run one worker on `job` to its end; it has its turn whenever it waits for a turn."""
    task = job if "trial" in job else {"cells": [], **job}
    (outcome,) = run_in_turns([Worker(task, launch, log, listen)], random.Random())
    return outcome
