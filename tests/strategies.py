"""Hypothesis strategies: valid runs with their records, as varied as runs of other people."""

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st

from bench.cli.options import MEASURED_PRECISIONS
from bench.profiles import PROFILES
from bench.record import Record, seal
from bench.record.flags import DISTURBED
from bench.record.record import MEASURED, Status
from bench.record.run import RunModel
from bench.record.selection import UNSTEADY
from bench.spec import MODES, OPTIMIZER_MATH, Cell, Execution, Trial
from bench.workloads import WORKLOADS
from reports.results import comparability
from tests.faults import hostile_text
from tests.records import (
    BACKENDS,
    GPU,
    build_run,
    certified,
    environment,
    failed_record,
    good,
    plan_of,
)
from tests.reports.sections.test_utilization import calibration
from tests.reports.two_runs import longer


class Drawn(NamedTuple):
    """A run and its records. A test that fails shows the status of each trial, not all samples."""

    run: RunModel
    records: Sequence[Record]

    def __repr__(self) -> str:
        ends = ", ".join(f"{record.name}: {record.status}" for record in self.records)
        return f"{len(self.run.trials)} trials, {ends}"


TEXTS = st.sampled_from(list(hostile_text.TEXTS.values())) | st.text(
    st.characters(codec="utf-8"), max_size=20
)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,20}", fullmatch=True)
INTEGERS = st.integers(-(2**63), 2**64 - 1)
SCALARS = (
    TEXTS | st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False)
)
FLAGS = st.lists(st.sampled_from([UNSTEADY, *DISTURBED, "canary"]) | TEXTS, max_size=3)
STATUSES = [status for status in get_args(Status) if status != "ok"]

# what a good trial may lack: complete parts, and single values in parts
LACKING = (
    *MEASURED,
    *("lanes.step", "lanes.native", "lanes.latency", "lanes.tutorial", "lanes.power"),
    *("timings.first_step_seconds", "timings.total_seconds", "accuracy.evaluation"),
    *("memory.peak_rss_bytes", "memory.peak_device_bytes", "contention.other_cpu_seconds"),
    *("gpu.peak_used_bytes", "gpu.clock_megahertz", "gpu.slowed_by", "gpu.power_limit_watts"),
    *("gpu.energy_joules", "gpu.energy_seconds", "parity.certificate_sha256"),
)
NEVER_NULL = ("timings", "memory")
# a trial may have no record, fail, or be good but lack values or have flags
TROUBLES = (
    st.none()
    | st.fixed_dictionaries({"status": st.sampled_from(STATUSES), "reason": TEXTS})
    | st.fixed_dictionaries(
        {"lacks": st.lists(st.sampled_from(LACKING), max_size=3), "flags": FLAGS}
    )
)
# a cell may take several times as long, and have unusual settings
TIMES = st.sampled_from([1.0, 1.3, 1.02, 0.8, 1e4])
SETTINGS = st.just({}) | st.dictionaries(
    st.sampled_from([*comparability.REFUSED, *comparability.MATTERS]) | TEXTS, SCALARS, max_size=3
)


def some(number: int) -> settings:
    """Return settings for a few examples, always the same, so that even a failure is quick."""
    return settings(max_examples=number, derandomize=True, deadline=None, phases=[Phase.generate])


def executions(batch_size: int) -> st.SearchStrategy[Execution]:
    return st.builds(
        Execution,
        device=st.sampled_from(["cpu", "cuda:0", "cuda:11"]),
        batch_size=st.sampled_from([batch_size, 1, 60_000]),
        mode=st.sampled_from(MODES),
        precision=st.sampled_from(MEASURED_PRECISIONS),
        threads=st.none() | st.integers(1, 64),
        optimizer=st.sampled_from(OPTIMIZER_MATH),
    )


@st.composite
def plans(draw: st.DrawFn) -> list[Trial]:
    """Draw a plan of up to six cells, a few with only one difference, and with any trials."""
    workload = draw(st.sampled_from(list(WORKLOADS)))
    how = executions(WORKLOADS[workload].batch_size)
    names = st.sampled_from([*BACKENDS, "jax"]) | NAMES
    cells = [
        Cell(workload=workload, backend=backend, execution=execution)
        for execution in draw(st.lists(how, min_size=1, max_size=2, unique=True))
        for backend in draw(st.lists(names, min_size=1, max_size=3, unique=True))
    ]
    return plan_of(
        cells,
        rounds=draw(st.sampled_from([7, 10, 6, 1, 0])),
        seeds=draw(st.lists(st.integers(0, 2**64 - 1), max_size=3, unique=True)),
        epochs=draw(st.integers(1, 3)),
        train_images=draw(st.sampled_from([1, 6_400, 60_000])),
        parity=draw(st.sampled_from([profile.parity for profile in PROFILES.values()] + [()])),
    )


@st.composite
def environments(draw: st.DrawFn) -> dict[str, Any]:
    texts = st.dictionaries(TEXTS, TEXTS, max_size=2)
    card = {**GPU, "memory_bytes": None, "name": draw(TEXTS), "driver": draw(TEXTS)}
    return {
        **environment(),
        **{name: draw(TEXTS) for name in ("host_sha256", "system", "machine", "cpu", "python")},
        "cores_physical": draw(st.none() | st.integers(1, 256)),
        "cores_usable": draw(st.none() | st.integers(1, 256)),
        "gpus": draw(st.sampled_from([[], [GPU], [GPU, card]])),
        "versions": draw(texts),
        "variables": draw(texts),
    }


@st.composite
def runs(draw: st.DrawFn, trials: Sequence[Trial], called: str | None) -> Drawn:
    """Draw a run of these trials and its records, in the plan's order.

    `called` is the name of a workload that this samestep does not know.
    """
    backends = build_run(()).model_dump()["backends"]
    backends["jax"] = {"versions": {}, "devices": [], "unavailable": draw(TEXTS)}
    session = {
        "started": draw(TEXTS),
        "wall_seconds": draw(st.sampled_from([0.0, 0.5, 1e6])),
        "worker_seconds": draw(st.sampled_from([None, 0.0, 0.5])),
        "outcome": draw(st.sampled_from(["complete", "interrupted"])),
    }
    run = build_run(
        trials,
        run_id=draw(TEXTS),
        profile=draw(st.just("standard") | st.sampled_from(list(PROFILES)) | TEXTS),
        created=draw(TEXTS),
        order_seed=draw(INTEGERS),
        environment=draw(st.just(environment()) | environments()),
        backends=backends,
        estimate_seconds=draw(st.none() | st.floats(0, 1e6)),
        calibration=draw(st.sampled_from([[], [calibration().model_dump()]])),
        sessions=draw(st.sampled_from([[], [session], [session] * 2])),
    )
    records = draw(records_of(trials, run))
    if called is not None:
        run, records = rename_workload(run, records, called)
    return Drawn(run, list(certified(records)))


@st.composite
def records_of(draw: st.DrawFn, trials: Sequence[Trial], run: RunModel) -> list[Record]:
    """Draw records: a few trials have none, some records are failures, and some lack values."""
    every = st.integers(0, max(0, len(trials) - 1))
    troubles = draw(st.dictionaries(every, TROUBLES, max_size=6))
    cells = dict.fromkeys(trial.cell for trial in trials)
    ways = {cell: (draw(TIMES), draw(SETTINGS)) for cell in cells}
    noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0.005, 0.0, 0.3]))
    common = {"run_id": run.run_id, "environment": run.environment.model_dump()}
    records = []
    for number, trial in enumerate(trials):
        trouble = troubles.get(number, {})
        if trouble is None:
            continue
        if "status" in trouble:
            records.append(failed_record(trial, **trouble, **common))
            continue
        times, settings = ways[trial.cell]
        document = {**good(trial), **common, "flags": trouble.get("flags", [])}
        document["settings"]["effective"] |= settings
        record = seal(set_null(document, trouble.get("lacks", ())))
        slower = times * noise.lognormal(0, spread)
        records.append(record if record.lanes is None else longer(record, slower))
    return records


@st.composite
def twins(draw: st.DrawFn, number: int = 2) -> list[Drawn]:
    """Draw several runs of the same plan."""
    trials, called = draw(plans()), draw(st.none() | NAMES)
    return [draw(runs(trials, called)) for _ in range(number)]


def any_run() -> st.SearchStrategy[Drawn]:
    return twins(1).map(lambda drawn: drawn[0])


def set_null(document: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Return the record's document with null for these values, if it has them."""
    for path in paths:
        part, _, name = path.rpartition(".")
        owner = document[part] if part else document
        if owner is not None:
            owner[name] = {} if path in NEVER_NULL else None
    return {**document, "null_reasons": dict.fromkeys(MEASURED, "it was not drawn")}


def rename_workload(run: RunModel, records: Sequence[Record], workload: str) -> Drawn:
    """Return the run with an unknown name for its workload."""
    trials = [trial.model_copy(update={"workload": workload}) for trial in run.trials]
    documents = [record.model_dump() for record in records]
    for document in documents:
        document["trial"]["workload"] = workload
    return Drawn(run.model_copy(update={"trials": trials}), list(map(seal, documents)))
