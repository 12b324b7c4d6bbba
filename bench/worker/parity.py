"""The job of a parity trial: the rungs of one cell in the one precision of this process."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench import mnist
from bench.parity.dump import dump
from bench.parity.ladder import Ladder
from bench.parity.rungs import Rung, data_rung, digests
from bench.spec import ParityPlan
from bench.worker.job import Job, Send
from bench.worker.messages import Process, TrialTask
from bench.workloads import WORKLOADS


class ParityJob(Job):
    """Climbs until a rung fails; what was measured until then is in the record."""

    def __init__(self, task: TrialTask, process: Process, send: Send) -> None:
        super().__init__(task, process, send)
        self.task = task

    def run(self) -> None:
        """Build the program and climb; raises `ParityError` at the first rung that fails."""
        trial = self.task["trial"]
        assert trial.parity is not None, "the entry sends no other trial here"
        workload = WORKLOADS[trial.cell.workload]
        execution = replace(trial.cell.execution, precision=trial.parity.precision)
        backend = self.open()
        self.program = self.build(backend, workload, execution)
        self.describe(self.program, workload, execution)
        with self.phases("load"):
            self.ladder = Ladder(
                lambda workload: backend.build(workload, execution),
                workload, execution, self.data, trial.seed,
            )  # fmt: skip
        if self.task["dump"] is not None:
            with self.phases("parity"):
                dump(self.ladder, Path(self.task["dump"]), trial.cell)
        self.climb(self.rungs(trial.parity))

    def rungs(self, plan: ParityPlan) -> Iterator[Rung]:
        """Yield the data's rung, then those of the ladder."""
        initial = mnist.initial_parameters(self.ladder.workload, self.ladder.seed)
        received = digests(self.ladder.seed, self.data, initial)
        yield data_rung(self.task["digests"], received)
        yield from self.ladder.climb(self.program, plan)
