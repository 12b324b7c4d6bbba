"""The job of a pilot: measure what a plan needs to know of a backend and of this machine."""

import time
import traceback

from bench import mnist
from bench.adapter import Array, Backend, Program
from bench.errors import one_line
from bench.spec import TRAIN_IMAGES, Cell, Execution
from bench.worker import measure
from bench.worker.job import Job, Send, reason_of, status_of
from bench.worker.measure.calibration import calibrate
from bench.worker.messages import Calibration, PilotFigures, PilotMiss, PilotTask, Process
from bench.workloads import WORKLOADS

PILOT_SLICES = (10, 60)


def slices(batch_size: int) -> tuple[int, int]:
    """Return the steps of a short and a long slice, bounded by the training images."""
    most = TRAIN_IMAGES // batch_size
    return min(PILOT_SLICES[0], max(1, most // 6)), min(PILOT_SLICES[1], most)


class PilotJob(Job):
    """A short look at each workload on one device, so that a plan and an estimate can be made."""

    def __init__(self, task: PilotTask, process: Process, send: Send) -> None:
        super().__init__(task, process, send)
        self.cells = task["cells"]

    def run(self) -> None:
        """Fill `cells` and `calibrations` of the result."""
        backend = self.open()
        shared = sum(self.phases.seconds.values())
        self.result["cells"] = [self.measure(backend, cell, shared) for cell in self.cells]

    def measure(self, backend: Backend, cell: Cell, shared: float) -> PilotFigures | PilotMiss:
        """Return what a trial of this cell will cost, or why that can't be known.

        `shared` are the seconds that the process needed before its first cell.
        """
        started = time.monotonic()
        workload, size = WORKLOADS[cell.workload], cell.execution.batch_size
        try:
            program = self.build(backend, workload, cell.execution)
            with self.phases("load"):
                program.load(mnist.initial_parameters(workload, 0, cell.execution.dtype), 0)
                images, labels = self.training_data(workload, self.images(cell), 0)
                batch = program.put((images[:size], labels[:size]))
            with self.phases("first_step"):
                begun = time.monotonic()
                program.train_step(batch)
                program.synchronize()
                first = time.monotonic() - begun
            setup = time.monotonic() - started
            with self.phases("step"):
                most = TRAIN_IMAGES // size if cell.execution.many_steps else 1
                call, batch = measure.call_size(
                    program,
                    lambda steps: program.put((images[: steps * size], labels[: steps * size])),
                    most,
                    time.perf_counter,
                )
                calls, call_seconds = measure.block_size(program, [batch], time.perf_counter)
                step_seconds = call_seconds / call
            with self.phases("native"):
                for steps in slices(size) if cell.execution.many_steps else (5,):
                    program.fit(images[: steps * size], labels[: steps * size], size)
                native = self.native_step(program, images, labels, size)
            self.calibrate_once(backend, program, cell.execution)
        except Exception as error:
            traceback.print_exc()
            return PilotMiss(cell=cell.label, status=status_of(error), reason=reason_of(error))
        return PilotFigures(
            cell=cell.label,
            status="ok",
            setup_seconds=shared + setup - max(0.0, first - step_seconds),
            step_seconds=step_seconds,
            steps_per_block=calls * call,
            steps_per_call=call,
            compile_seconds=max(0.0, first - step_seconds),
            native_step_seconds=max(native, step_seconds),
        )

    def images(self, cell: Cell) -> int:
        """Return how many images `fit` needs; a program of many steps may need all."""
        if cell.execution.many_steps:
            return TRAIN_IMAGES
        return max(slices(cell.execution.batch_size)) * cell.execution.batch_size

    def native_step(self, program: Program, images: Array, labels: Array, size: int) -> float:
        """Return the seconds of a step in the framework's own loop, without the loop's start-up.

        A difference of two noisy times: the caller bounds it by the step alone.
        """
        few, many = slices(size)
        short, long = (
            measure.fit_slice(
                program, images[: steps * size], labels[: steps * size], size, time.perf_counter
            )
            for steps in (few, many)
        )
        # an epoch of one batch has no two lengths
        return (long - short) / (many - few) if many > few else long

    def calibrate_once(self, backend: Backend, program: Program, execution: Execution) -> None:
        """Calibrate the device, unless that was done in this precision before."""
        known = self.result.setdefault("calibrations", [])
        if all(earlier["precision"] != execution.precision for earlier in known):
            known.append(self.calibration(backend, program, execution))

    def calibration(self, backend: Backend, program: Program, execution: Execution) -> Calibration:
        """Return what the device attains through this backend, or why that can't be known."""
        result = Calibration(
            device=execution.device, precision=execution.precision, attained=None, missing=None
        )
        try:
            with self.phases("calibration"):
                result["attained"] = calibrate(
                    backend, program, self.cells, execution, time.perf_counter
                )
        except Exception as error:
            traceback.print_exc()
            result["missing"] = one_line(error)
        return result
