"""A parity trial: one cell's rungs in one precision, which is this process's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench import mnist
from bench.parity.dump import dump
from bench.parity.ladder import Ladder
from bench.parity.rungs import Rung, data_rung, digests
from bench.spec import ParityPlan
from bench.worker.job import Job, trial_from
from bench.workloads import WORKLOADS


class ParityJob(Job):
    """Climbs until a rung fails; what was measured until then is in the record."""

    def run(self) -> None:
        trial = trial_from(self.task["trial"])
        assert trial.parity is not None, "the entry sends no other trial here"
        execution = replace(trial.cell.execution, precision=trial.parity.precision)
        backend = self.open()
        self.program = self.build(backend, WORKLOADS[trial.cell.workload], execution)
        self.describe(self.program, WORKLOADS[trial.cell.workload], execution)
        with self.phases("load"):
            self.ladder = Ladder(
                lambda workload: backend.build(workload, execution),
                WORKLOADS[trial.cell.workload], execution, self.data, trial.seed,
            )  # fmt: skip
        if self.task["dump"] is not None:
            with self.phases("parity"):
                dump(self.ladder, Path(self.task["dump"]), trial.cell)
        self.climb(self.rungs(trial.parity))

    def rungs(self, plan: ParityPlan) -> Iterator[Rung]:
        initial = mnist.initial_parameters(self.ladder.workload, self.ladder.seed)
        received = digests(self.ladder.seed, self.data, initial)
        yield data_rung(self.task["digests"], received)
        yield from self.ladder.climb(self.program, plan)
