"""Build synthetic runs and records for tests: valid, deterministic, with realistic values."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench import mnist
from bench.parity.gates import GATES, gate
from bench.profiles import Profile
from bench.record import Record, TrialModel, seal, write_record
from bench.record.run import RunModel, write_run
from bench.record.stored import record_path
from bench.run.plan import parity_trials
from bench.spec import (
    AccuracyPlan,
    Cell,
    Dropout,
    Execution,
    ParityPlan,
    TimingPlan,
    Trial,
    TrialKind,
)
from bench.workloads import WORKLOADS

RUN_ID = "20260102T030405-test"
BACKENDS = ("keras-tensorflow", "pytorch")
SMALL = ("mlp-512", "cnn")
MILLISECONDS = {
    "mlp-512-256": 3.4,
    "mlp-512": 3.1,
    "mlp-256-256-128-64": 3.0,
    "mlp-1000": 4.8,
    "cnn": 22.0,
}
VERSIONS = {
    "keras-tensorflow": {"keras": "3.15.1", "tensorflow": "2.21.0", "numpy": "2.4.6"},
    "pytorch": {"torch": "2.13.0", "numpy": "2.4.6"},
}
SETTINGS = {
    "keras-tensorflow": {"mode": "graph", "jit_compile": "auto: off", "tf32": False},
    "pytorch": {"mode": "eager", "torch_threads": 2, "tf32": False},
}
# the differences of an honest backend, as a share of the gate
NOISE = {"float32": 0.1, "tf32": 0.1, "bfloat16": 0.1, "float64": 0.02, "dropout": 0.5}
CERTIFICATE_HASH = "ce" * 32
GPU = {"name": "NVIDIA H200", "memory_bytes": 150_754_820_096, "driver": "580.65.06"}


def environment(*, gpu: bool = False) -> dict[str, Any]:
    return {
        "host_sha256": "ab" * 32,
        "system": "Linux 6.1.0",
        "machine": "x86_64",
        "cpu": "Intel(R) Xeon(R) Processor @ 2.20GHz",
        "cores_physical": 1,
        "cores_logical": 2,
        "memory_bytes": 8_326_762_496,
        "gpus": [GPU] if gpu else [],
        "python": "3.11.7",
        "samestep": "0.1.0",
        "versions": {},
        "variables": {"OMP_NUM_THREADS": "unset"},
    }


def plan(
    *,
    workloads: Sequence[str] = SMALL,
    backends: Sequence[str] = BACKENDS,
    devices: Sequence[str] = ("cpu",),
    rounds: int = 10,
    seeds: Sequence[int] = (1,),
    epochs: int | None = None,
    train_images: int = 60_000,
    parity: Sequence[ParityPlan] = (),
) -> list[Trial]:
    """Return a plan: parity trials, then accuracy trials, then rounds.

    If `epochs` is None, each workload has its own number; without `parity` no cell is certified.
    """
    cells = [
        Cell(
            workload=name,
            backend=backend,
            execution=Execution(device=device, batch_size=WORKLOADS[name].batch_size),
        )
        for name in workloads
        for device in devices
        for backend in backends
    ]
    return plan_of(
        cells, rounds=rounds, seeds=seeds, epochs=epochs, train_images=train_images, parity=parity
    )


def plan_of(
    cells: Sequence[Cell],
    *,
    rounds: int,
    seeds: Sequence[int],
    epochs: int | None = None,
    train_images: int = 60_000,
    parity: Sequence[ParityPlan] = (),
) -> list[Trial]:
    """Return the plan of these cells, as `plan` does."""
    accuracy_trials = [
        Trial(
            kind="accuracy",
            cell=cell,
            seed=seed,
            accuracy=AccuracyPlan(
                epochs=epochs or WORKLOADS[cell.workload].epochs, train_images=train_images
            ),
        )
        for cell in cells
        for seed in seeds
    ]
    timing_trials = [
        Trial(
            kind="timing",
            cell=cell,
            seed=1,
            round=turn,
            position=position,
            timing=TimingPlan(
                window_blocks=10,
                blocks=12,
                steps_per_block=8 if cell.workload == "cnn" else 32,
                native_steps=100,
                native_slices=3,
                tutorial_steps=50,
                latency_steps=100,
                power_seconds=0.0 if cell.execution.device == "cpu" else 10.0,
            ),
        )
        for turn in range(rounds)
        for position, cell in enumerate(cells)
    ]
    profile = Profile(name="any", rounds=rounds, parity=tuple(parity))
    return parity_trials(cells, profile) + accuracy_trials + timing_trials


def build_run(trials: Iterable[Trial], *, gpu: bool = False, **changes: Any) -> RunModel:
    trials = list(trials)
    document = {
        "schema_version": 1,
        "run_id": RUN_ID,
        "samestep": "0.1.0",
        "created": "2026-01-02T03:04:05+00:00",
        "profile": "standard",
        "order_seed": 7,
        "environment": environment(gpu=gpu),
        "backends": {
            name: {
                "versions": VERSIONS[name],
                "devices": ["cpu", "cuda:0"] if gpu else ["cpu"],
                "unavailable": None,
            }
            for name in BACKENDS
        },
        "pilot": [],
        "pilot_seconds": 41.5,
        "estimate_seconds": 1500.0,
        "trials": [TrialModel.of(trial).model_dump() for trial in trials],
        "sessions": [{"started": "2026-01-02T03:05:00+00:00", "wall_seconds": 1624.2,
                      "outcome": "complete"}],
    }  # fmt: skip
    return RunModel.model_validate({**document, **changes})


def build_record(trial: Trial, *, gpu: bool = False, **changes: Any) -> Record:
    """Return the record of a good trial; `changes` replace its top-level parts."""
    return seal({**good(trial, gpu=gpu), **changes}) if changes else good_record(trial, gpu)


@cache
def good_record(trial: Trial, gpu: bool) -> Record:
    """Return the record without changes: many tests build the same, and records are frozen."""
    return seal(good(trial, gpu=gpu))


def failed_record(trial: Trial, status: str, reason: str, **changes: Any) -> Record:
    """Return the record of a trial that ended before it measured anything."""
    empty = {"parity": None, "parameters": None, "settings": None, "lanes": None, "accuracy": None}
    reasons = {**good(trial)["null_reasons"]}
    reasons |= dict.fromkeys((*empty, "timings", "memory"), "the trial ended before it")
    return build_record(
        trial,
        **{"status": status, "reason": reason, "timings": {}, "memory": {}, **empty,
           "null_reasons": reasons, **changes},
    )  # fmt: skip


def build_records(
    trials: Iterable[Trial], change: Callable[[Trial], Record | None] | None = None, **options: Any
) -> list[Record]:
    """Return a good record for each trial, or the record that `change` returns for it."""
    return [(change and change(trial)) or build_record(trial, **options) for trial in trials]


def certified(records: Iterable[Record]) -> Iterator[Record]:
    """Yield the records as in a run: each points to the last parity record of its cell."""
    last: dict[Cell, str] = {}
    for record in records:
        document, cell = record.model_dump(), record.cell
        if document["parity"] is not None:
            document["parity"]["certificate_sha256"] = last.get(cell)
        sealed = seal(document)
        if record.trial.kind == "parity":
            last[cell] = sealed.sha256
        yield sealed


def write_folder(folder: Path, run: RunModel, records: Iterable[Record]) -> Path:
    """Write the run's folder as `samestep run` does, without its report; return the folder."""
    write_run(run, folder)
    for record in records:
        write_record(record, record_path(folder, record.trial))
    return folder


def good(trial: Trial, *, gpu: bool = False) -> dict[str, Any]:
    # the trial gives the seed, so that a record does not depend on other records
    draw = np.random.default_rng(zlib.crc32(trial.name.encode()))
    on_gpu = trial.cell.execution.device != "cpu"
    return {
        "schema_version": 1,
        "run_id": RUN_ID,
        "trial": TrialModel.of(trial).model_dump(),
        "status": "ok",
        "reason": None,
        "flags": [],
        "parity": {"rungs": rungs(trial), "certificate_sha256": certificate(trial)},
        "parameters": layer_table(trial),
        "settings": {
            "requested": asdict(trial.cell.execution),
            "effective": dict(SETTINGS.get(trial.cell.backend, {})),
        },
        "timings": timings(draw, trial.kind),
        "lanes": lanes(trial, draw) if trial.kind == "timing" else None,
        "accuracy": training(trial, draw) if trial.kind == "accuracy" else None,
        "memory": {
            "peak_rss_bytes": int(draw.normal(9e8, 4e6)),
            "peak_device_bytes": int(draw.normal(3e8, 1e6)) if on_gpu else None,
        },
        "gpu": gpu_use(trial, draw) if on_gpu else None,
        "contention": {
            "wall_seconds": 20.0,
            "worker_cpu_seconds": 31.0,
            "other_cpu_seconds": round(float(draw.uniform(0.1, 1.6)), 3),
            "steal_seconds": 0.0,
        },
        "environment": environment(gpu=gpu),
        "null_reasons": {
            "timings": "not a phase of this trial",
            "lanes": "not a timing trial",
            "gpu": "no GPU",
            "gpu.energy_joules": "no power lane",
            "gpu.energy_seconds": "no power lane",
            "accuracy": "not an accuracy trial",
            "memory.peak_device_bytes": "no device but the CPU",
            "parity.certificate_sha256": "no parity trial came before",
        },
    }


def certificate(trial: Trial) -> str | None:
    """Return the hash of the parity record before a trial; None for the first, in float64."""
    exact = trial.parity is not None and trial.parity.precision == "float64"
    return None if exact else CERTIFICATE_HASH


def rungs(trial: Trial) -> list[dict[str, Any]]:
    """Return all rungs of a parity trial, or the short certificate of another trial."""
    exact = {"measured": 0.0, "gate": 0.0, "passed": True, "where": None}
    return [
        *({"rung": name, **exact} for name in ("data", "parameters", "initial")),
        *(measured_rung(trial, name) for name in measured_rungs(trial)),
    ]


def measured_rungs(trial: Trial) -> list[str]:
    """Return the rungs with a gate, in the order of `bench.parity.ladder`."""
    dropout = any(isinstance(layer, Dropout) for layer in WORKLOADS[trial.cell.workload].layers)
    if trial.parity is None:
        return ["forward"] if dropout else ["forward", "gradient", "update"]
    names = ["forward", "gradient", "update", "fit", "fit loss", "trajectory"]
    names += ["tanh trajectory"] if trial.parity.twin_steps else []
    if dropout and trial.parity.precision != "float64":
        names += ["dropout share", "dropout scale", "dropout masks"]
    return names


def measured_rung(trial: Trial, name: str) -> dict[str, Any]:
    precision = "float32" if trial.parity is None else trial.parity.precision
    kind = f"{name} {WORKLOADS[trial.cell.workload].optimizer.name}"
    limit = gate(precision, kind if kind in GATES[precision] else name)
    # a separate generator, so that a new rung changes no other value
    draw = np.random.default_rng(zlib.crc32(f"{trial.name} {name}".encode()))
    noise = NOISE["dropout" if name.startswith("dropout") else precision]
    measured = float(f"{limit * noise * draw.uniform(0.4, 1.2):.3g}")
    return {"rung": name, "measured": measured, "gate": limit, "passed": True,
            "where": "dense_0/kernel, full batch"}  # fmt: skip


def failed_rung(rung: str = "initial", measured: float = 3.0, gate: float = 0.0) -> dict[str, Any]:
    return {"rung": rung, "measured": measured, "gate": gate, "passed": False,
            "where": "dense_0/kernel"}  # fmt: skip


def layer_table(trial: Trial) -> dict[str, Any]:
    workload = WORKLOADS[trial.cell.workload]
    layers = [{**asdict(row), "output_shape": list(row.output_shape)} for row in workload.summary()]
    return {"total": workload.parameter_total, "layers": layers}


def timings(draw: np.random.Generator, kind: TrialKind) -> dict[str, float]:
    phases = {"spawn_seconds": 0.05, "import_seconds": 4.0, "build_seconds": 0.2}
    phases |= {
        "parity": {"parity_seconds": 8.0},
        "timing": {"first_step_seconds": 0.9},
        "accuracy": {"accuracy_seconds": 60.0},
    }[kind]
    noisy = {name: round(float(s * draw.normal(1, 0.02)), 6) for name, s in phases.items()}
    return {**noisy, "total_seconds": round(sum(noisy.values()), 6)}


def step_milliseconds(trial: Trial) -> float:
    """Return the true time per step, which a trial's samples scatter around."""
    slower = 1.2 if trial.cell.backend == "keras-tensorflow" else 1.0
    gpu = 0.1 if trial.cell.execution.device != "cpu" else 1.0
    return MILLISECONDS[trial.cell.workload] * slower * gpu


def lanes(trial: Trial, draw: np.random.Generator) -> dict[str, Any]:
    assert trial.timing is not None
    sizes, batch_size = trial.timing, trial.cell.execution.batch_size
    step = 1e-3 * step_milliseconds(trial) * draw.normal(1, 0.02)

    def seconds(count: int, mean: float) -> list[float]:
        return [round(float(mean * factor), 9) for factor in draw.normal(1, 0.01, count)]

    def loop(steps: int, extra: float) -> list[float]:
        return seconds(sizes.native_slices, 0.03 + steps * (step + 1e-3 * extra))

    short = sizes.native_steps // 4
    return {
        "step": {
            "block_seconds": seconds(sizes.blocks, sizes.steps_per_block * step),
            "steps_per_block": sizes.steps_per_block,
            "batch_size": batch_size,
        },
        "native": {
            "slice_seconds": loop(sizes.native_steps, 0.3),
            "steps_per_slice": sizes.native_steps,
            "short_slice_seconds": loop(short, 0.3),
            "steps_per_short_slice": short,
            "batch_size": batch_size,
        },
        "latency": {
            # a separate generator, so that a new lane changes no other value
            "step_seconds": latencies(trial, step),
            "batch_size": batch_size,
        },
        "tutorial": {
            "slice_seconds": loop(sizes.tutorial_steps, 6.0),
            "steps_per_slice": sizes.tutorial_steps,
            "batch_size": batch_size,
        },
        "power": power(sizes.power_seconds, step, batch_size),
    }


def power(seconds: float, step: float, batch_size: int) -> dict[str, Any] | None:
    if not seconds:
        return None
    return {"seconds": seconds, "steps": round(seconds / step), "batch_size": batch_size}


def gpu_use(trial: Trial, draw: np.random.Generator) -> dict[str, Any]:
    """Return the values of a board of 700 W that draws 250 W during training."""
    powered = trial.timing is not None
    joules = round(float(draw.normal(2_500, 10)), 3)
    return {
        "peak_used_bytes": int(draw.normal(9e8, 1e6)),
        "clock_megahertz": [1965, 1980, 1980],
        "slowed_by": [],
        "power_limit_watts": 700.0,
        "energy_joules": joules if powered else None,
        "energy_seconds": 10.02 if powered else None,
    }


def latencies(trial: Trial, step: float) -> list[float]:
    """Return single steps: a twentieth longer than in a block, and a few much longer."""
    assert trial.timing is not None
    draw = np.random.default_rng(zlib.crc32(f"{trial.name} latency".encode()))
    longer = 1.05 + draw.exponential(0.05, trial.timing.latency_steps)
    return [round(float(step * factor), 9) for factor in longer]


def predictions(accuracy: float, draw: np.random.Generator) -> list[int]:
    """Return classes of all test images, with as many right classes as the accuracy says."""
    classes = test_labels().astype(int)
    wrong = draw.choice(len(classes), len(classes) - round(accuracy * len(classes)), replace=False)
    classes[wrong] = (classes[wrong] + draw.integers(1, 10, len(wrong))) % 10
    return [int(number) for number in classes]


@cache
def test_labels() -> np.ndarray:
    return mnist.load().test_labels


def training(trial: Trial, draw: np.random.Generator) -> dict[str, Any]:
    """Return curves that approach the published accuracy."""
    assert trial.accuracy is not None
    published = WORKLOADS[trial.cell.workload].published[0].test_accuracy or 0.98
    final = round(published + float(draw.normal(0, 0.0015)), 4)
    epochs = []
    for epoch in range(1, trial.accuracy.epochs + 1):
        rest = 0.7**epoch
        epochs.append({
            "epoch": epoch,
            "train_loss": round(0.35 * rest + 0.002, 5),
            "train_accuracy": round(1 - 0.1 * rest, 5),
            "test_loss": round(0.2 * rest + 0.07 + 0.0005 * epoch, 5),
            "test_accuracy": round(final - 0.05 * rest, 4),
            "seconds": round(float(draw.normal(2.0, 0.05)), 4),
        })  # fmt: skip
    return {
        "train_images": trial.accuracy.train_images,
        "epochs": epochs,
        "final_train_loss": 0.0117,
        "final_train_accuracy": 0.9958,
        "final_test_loss": 0.0779,
        "final_test_accuracy": final,
        "predicted": predictions(final, draw),
        "confidence": [0.99] * 10_000,
        "evaluation": {
            "batch_size": 250,
            "images": trial.accuracy.train_images,
            "seconds": [round(float(draw.normal(0.6, 0.01)), 5)],
        },
        "inference": {
            "batch_size": 32,
            "images": 10_000,
            "seconds": [round(float(value), 5) for value in draw.normal(0.5, 0.01, 3)],
        },
    }
