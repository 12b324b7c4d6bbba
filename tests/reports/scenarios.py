"""The runs behind the golden reports. `python -m tests.reports.scenarios` writes them again.

Look at the difference before you commit it: a golden file is what a reader sees.
"""

from collections.abc import Callable
from pathlib import Path

from bench.profiles import CERTIFICATE, PROFILES
from bench.record import Record
from bench.record.run import RunModel
from bench.spec import Trial
from tests.records import (
    build_record,
    build_records,
    build_run,
    failed_record,
    failed_rung,
    good,
    plan,
)

GOLDEN = Path(__file__).parent / "golden"
Scenario = tuple[RunModel, list[Record]]


def complete() -> Scenario:
    trials = plan(rounds=10, seeds=(1, 2, 3), epochs=None, parity=CERTIFICATE)
    return build_run(trials), build_records(trials)


def smoke() -> Scenario:
    parity = PROFILES["smoke"].parity
    trials = plan(workloads=("mlp-1000",), rounds=1, epochs=1, train_images=6_000, parity=parity)
    return build_run(trials, profile="smoke"), build_records(trials)


def gpu() -> Scenario:
    trials = plan(workloads=("cnn",), devices=("cpu", "cuda:0"), rounds=6, parity=CERTIFICATE)
    return build_run(trials, gpu=True), build_records(trials, gpu=True)


def troubled() -> Scenario:
    """Interrupted, with one cell of each kind of trouble."""
    names = ("mlp-512-256", "mlp-512", "mlp-1000", "cnn")
    trials = plan(workloads=names, rounds=2, epochs=2, parity=CERTIFICATE)
    done = trials[:-3]
    session = {"started": "2026-01-02T03:05:00+00:00", "wall_seconds": 300.0,
               "outcome": "interrupted"}  # fmt: skip
    found = build_run(trials).backends
    backends = {name: one.model_dump(exclude={"environment_of"}) for name, one in found.items()}
    backends["keras-jax"] = {"versions": {}, "devices": [], "unavailable": "No module named 'jax'"}
    run = build_run(trials, sessions=[session], backends=backends)
    return run, build_records(done, trouble)


def trouble(trial: Trial) -> Record | None:
    cell, keras = trial.cell, trial.cell.backend == "keras-tensorflow"
    if cell.workload == "mlp-512-256" and keras and trial.round == 1:
        rungs = {"rungs": [failed_rung()], "certificate_sha256": "ce" * 32}
        return failed_record(trial, "parity_failed", "initial differs", parity=rungs)
    if cell.workload == "mlp-512" and not keras and trial.kind == "accuracy":
        return failed_record(trial, "failed_training", "the loss of epoch 2 is not finite")
    if cell.workload == "mlp-512" and trial.round == 0:
        return build_record(trial, flags=["contended", "no_steady_state"])
    if cell.workload == "mlp-1000":
        return raises(trial) if keras else diverges(trial)
    if cell.workload == "cnn" and trial.round == 0:
        return failed_record(trial, "timed_out" if keras else "killed", "after 600 s")
    return None


def raises(trial: Trial) -> Record | None:
    """Certified, but then neither timed nor trained."""
    if trial.kind == "parity":
        return None
    return failed_record(trial, "failed", "ValueError: <b>|`x`|</b>\nsecond line")


def diverges(trial: Trial) -> Record | None:
    """Right in float64; in float32 a gradient is not, and nothing else of the cell runs."""
    if trial.parity is not None and trial.parity.precision == "float64":
        return None
    why = "rung gradient: measured 0.0099, gate 5e-05: dense_0/kernel"
    if trial.kind != "parity":
        return failed_record(trial, "parity_failed", f"not run: {why}")
    whole = good(trial)["parity"]
    passed = whole["rungs"][:4]
    rungs = [*passed, failed_rung("gradient", 0.0099, 5e-5)]
    return failed_record(trial, "parity_failed", why, parity={**whole, "rungs": rungs})


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    "complete": complete,
    "smoke": smoke,
    "gpu": gpu,
    "troubled": troubled,
}


def write_golden() -> None:
    from reports.results.report import Report
    from tests.reports.tables_of import compose

    for name, make in SCENARIOS.items():
        (GOLDEN / f"{name}.md").write_text(compose(Report(*make())), encoding="utf-8")


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    write_golden()
