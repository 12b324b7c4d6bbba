"""What timing and accuracy trials share: build the program, and check it before and after."""

from collections.abc import Iterator

from bench import mnist
from bench.adapter import Backend
from bench.parity.ladder import Ladder
from bench.parity.rungs import Rung, data_rung, digests, initial_rung, parameters_rung
from bench.worker.job import Job, Send, peak_rss_bytes
from bench.worker.messages import Process, TrialTask
from bench.worker.settings import require_compiled
from bench.workloads import WORKLOADS

RESIDENT_BATCHES = 16
MOST_RECOMPILED_STEPS = 4


class TrialJob(Job):
    """One trial of one cell; what it measures is the subclass's."""

    def __init__(self, task: TrialTask, process: Process, send: Send) -> None:
        super().__init__(task, process, send)
        self.digests = task["digests"]
        self.trial = task["trial"]
        self.workload = WORKLOADS[self.trial.cell.workload]
        self.batch_size = self.trial.cell.execution.batch_size

    def run(self) -> None:
        """Build, check exactly, make the first step, measure, then certify the same program."""
        backend = self.open()
        self.program = self.build(backend, self.workload, self.trial.cell.execution)
        with self.phases("load"):
            self.initial = mnist.initial_parameters(
                self.workload, self.trial.seed, self.trial.cell.execution.dtype
            )
            self.program.load(self.initial, self.trial.seed)
        self.describe(self.program, self.workload, self.trial.cell.execution)
        self.climb(self.exact_rungs())
        self.first_step()
        self.measure()
        # again, since only now is it known what was compiled
        self.result["settings"] = self.settings(self.program)
        require_compiled(self.trial.cell.execution, self.result["settings"])
        self.result["peak_device_bytes"] = self.program.peak_device_bytes()
        # before the oracle runs: its arrays are not the framework's memory
        self.result["peak_rss_bytes"] = peak_rss_bytes()
        self.climb(self.short_certificate(backend))

    def measure(self) -> None:
        """Fill `result` with the figures of this kind of trial."""
        raise NotImplementedError

    def exact_rungs(self) -> Iterator[Rung]:
        """Compare data, layers and initial parameters with those expected, exactly."""
        received = digests(self.trial.seed, self.data, self.initial)
        yield data_rung(self.digests, received)
        yield parameters_rung(self.workload, self.program.layers())
        yield initial_rung(self.initial, self.program.parameters())

    def short_certificate(self, backend: Backend) -> Iterator[Rung]:
        """Compare the program that was measured with the oracle."""
        execution = self.trial.cell.execution
        ladder = Ladder(
            lambda workload: backend.build(workload, execution),
            self.workload, execution, self.data, seed=0,
        )  # fmt: skip
        yield from ladder.short(self.program)

    def first_step(self) -> None:
        """Time the first step, which compiles; then load the initial parameters again."""
        with self.phases("load"):
            size = self.steps_per_call * self.batch_size
            images, labels = self.training_data(
                self.workload, RESIDENT_BATCHES * size, self.trial.seed
            )
            starts = range(0, len(labels) - size + 1, size)
            self.batches = [
                self.program.put((images[at : at + size], labels[at : at + size])) for at in starts
            ]
        with self.phases("first_step"):
            self.call_once()
        with self.phases("recompile"):
            self.call_until_compiled()
        with self.phases("load"):
            self.program.load(self.initial, self.trial.seed)

    @property
    def steps_per_call(self) -> int:
        """Return the steps that one call of the train step makes."""
        return 1 if self.trial.timing is None else self.trial.timing.steps_per_call

    def call_once(self) -> None:
        """Make one call of the train step and wait for its end."""
        self.program.train_step(self.batches[0])
        self.program.synchronize()

    def call_until_compiled(self) -> None:
        """Make steps until one compiles nothing.

        Some compilers see only in the second step what the first has changed.
        """
        for _ in range(MOST_RECOMPILED_STEPS):
            compiled = self.program.compilations()
            self.call_once()
            if self.program.compilations() == compiled:
                break
