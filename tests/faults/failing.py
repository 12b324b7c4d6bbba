"""Row 12: a training that learns nothing is `failed_training` or `parity_failed`, never compared.

Each program runs in the real worker; then its record is in the report of a run with otherwise good
records. Some programs do not fail, which shows that the others fail because of their change.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from backends import BACKENDS
from bench import mnist
from bench.parity.rungs import digests
from bench.record import EnvironmentModel, Record
from bench.run.outcome import Beside, record_of
from bench.run.process import Launch, worker_packages
from bench.spec import AccuracyPlan, Cell, Execution, Trial
from bench.workloads import MLP_512
from reports.results.report import Report
from tests.fakes import adapter
from tests.fakes.workers import run_worker
from tests.faults.matrix import Row, Try, share_of
from tests.records import build_records, build_run, environment, plan
from tests.reports.tables_of import compose

FAKES = Path(adapter.__file__).parent
SEED = 3
PLAN = AccuracyPlan(epochs=2)
SOURCE = """
import math
import time
import numpy as np
from bench import mnist
from fakes import adapter
LABELS = mnist.load().test_labels
class Program(adapter.FakeProgram):
    epoch = 0
    losses, evaluated, accuracies = (0.2, 0.1), (0.1, 0.1), (0.97, 0.98)
    right = 9_800
    idle = False
    def fit(self, images, labels, batch_size):
        self.epoch += 1
        if not self.idle:
            super().fit(images, labels, batch_size)
        return self.losses[self.epoch - 1], 0.95
    def evaluate(self, images, labels, batch_size):
        return self.evaluated[self.epoch - 1], self.accuracies[self.epoch - 1]
    def predict(self, images, batch_size):
        answers = np.where(np.arange(len(LABELS)) < self.right, LABELS, (LABELS + 1) % 10)
        return np.eye(10, dtype=np.float32)[answers] * self.scale
    scale = 9.0
    {change}
class Backend(adapter.FakeBackend):
    def build(self, workload, execution):
        return Program(workload, execution)
def open_backend(name):
    return Backend("fake")
"""
# an update that is far too large, zero, or almost zero
RATES = (1e20, 1e-30, 1e-9)
FRAMEWORK = """
from dataclasses import replace
from {adapter} import open_backend as open_right
def open_backend(name):
    backend = open_right(name)
    build = backend.build
    def other(workload, execution):
        rate = {rate}
        if rate is not None:
            optimizer = replace(workload.optimizer, learning_rate=rate)
            workload = replace(workload, optimizer=optimizer)
        return build(workload, execution)
    backend.build = other
    return backend
"""
FINITE = "Expected: a finite number. Received: "
LEARNED = "Expected: at least 0.9. Received: "
# the change, the status, the reason
CHANGES = (
    ("", "ok", None),
    ("right, accuracies = 9_000, (0.9, 0.9)", "ok", None),
    ("losses = math.nan, 0.1", "failed_training", f"train loss of epoch 1. {FINITE}nan"),
    ("losses = 0.2, math.inf", "failed_training", f"train loss of epoch 2. {FINITE}inf"),
    ("evaluated = 0.1, math.nan", "failed_training", f"test loss of epoch 2. {FINITE}nan"),
    ("evaluated = -math.inf, 0.1", "failed_training", f"test loss of epoch 1. {FINITE}-inf"),
    ("scale = math.nan", "failed_training", f"sum of predictions of the last epoch. {FINITE}nan"),
    ("losses = 2.3026, 2.3026; accuracies = 0.098, 0.098", "failed_training",
     f"test accuracy of epoch 1. {LEARNED}0.098"),
    ("accuracies = 0.8999, 0.95", "failed_training", f"test accuracy of epoch 1. {LEARNED}0.8999"),
    ("accuracies = 0.95, 0.5", "failed_training", f"test accuracy of epoch 2. {LEARNED}0.5"),
    ("right = 8_999", "failed_training", f"test accuracy of the last epoch. {LEARNED}0.8999"),
    ("idle = True", "parity_failed", "fit"),
)  # fmt: skip


def failed_trainings(share: float, folder: Path) -> Iterator[Try]:
    least = 2 if share < 1 else len(CHANGES)
    for number, (change, status, reason) in enumerate(CHANGES[-least:]):
        source = folder / f"failing_{number}.py"
        source.write_text(SOURCE.format(change=change), encoding="utf-8")
        record = train(source, "pytorch", sys.executable)
        right = record.reason == reason if status != "parity_failed" else bool(record.reason)
        if record.status != status or not right:
            yield Try(wrong=f"{change}: {record.status}, {record.reason}. Expected: {reason}")
        else:
            yield Try(wrong=report_error(record))


def real_tries(share: float, folder: Path, interpreters: Mapping[str, str]) -> Iterator[Try]:
    """Try the same with real frameworks that get a wrong learning rate."""
    source = folder / "failing_framework.py"
    for backend, interpreter in interpreters.items():
        for rate in (None, *RATES)[: 1 + share_of(len(RATES), share)]:
            adapter = BACKENDS[backend].adapter
            source.write_text(FRAMEWORK.format(adapter=adapter, rate=rate), encoding="utf-8")
            record = train(source, backend, interpreter)
            expected = "ok" if rate is None else "failed_training"
            message = f"{backend}, learning rate {rate}: {record.status}, {record.reason}"
            yield Try(wrong=None if record.status == expected else message)


def train(source: Path, backend: str, interpreter: str) -> Record:
    """Return the record of an accuracy trial with this adapter as the backend."""
    how = Execution(device="cpu", batch_size=MLP_512.batch_size)
    cell = Cell(workload="mlp-512", backend=backend, execution=how)
    trial = Trial(kind="accuracy", cell=cell, seed=SEED, accuracy=PLAN)
    initial = mnist.initial_parameters(MLP_512, SEED)
    with worker_packages(FAKES, source) as packages:
        job = {"backend": backend, "adapter": source.stem, "trial": trial,
               "digests": digests(SEED, mnist.load(), initial), "dump": None}  # fmt: skip
        variables = BACKENDS[backend].variables
        launch = Launch(interpreter=interpreter, packages=packages, variables=variables)
        outcome = run_worker(job, launch, source.with_suffix(".log"), lambda event: None)
    machine = EnvironmentModel.model_validate(environment())
    return record_of("a-run", trial, outcome, machine, Beside())


def report_error(record: Record) -> str | None:
    """Return what is wrong in the report of a run with this record; None if it is right."""
    trials = [
        replace(trial, seed=SEED) if trial.accuracy is None else record.trial.trial()
        for trial in plan(workloads=("mlp-512",), rounds=10, seeds=(SEED,), epochs=PLAN.epochs)
        if trial.accuracy is None or trial.cell.backend == "pytorch"
    ]
    run = build_run(trials)
    records = build_records(trials, lambda trial: record if trial.accuracy else None)
    text = compose(Report(run, records))
    compared = "pytorch takes" in text.partition("## Which is faster")[2].partition("\n## ")[0]
    if compared != (record.status == "ok"):
        return f"compared: {compared}, though its training is {record.status}"
    if record.status != "ok" and f"| {record.status} " not in text:
        return f"nothing in the report says {record.status}"
    return None


ROW = Row(
    number=12,
    fault="training with NaN, infinity, no gradient, under 0.90",
    tries=failed_trainings,
    real=real_tries,
)
