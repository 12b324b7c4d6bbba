"""Runs to compare, made of synthetic records: the same cells with other times, plans, machines."""

from dataclasses import replace

import numpy as np

from bench.record import seal
from reports.compare import ComparedRun, Side
from reports.results.cells import group
from tests.records import build_record, build_run, environment, plan, write_folder

TRIALS = plan(workloads=["mlp-512"], rounds=10, seeds=())
TIMES = {
    "step": ("block_seconds",),
    "native": ("slice_seconds", "short_slice_seconds"),
    "tutorial": ("slice_seconds",),
    "latency": ("step_seconds",),
}


def longer(record, times, *, only=""):
    """The record with all its times so many times as long; `only` of this backend."""
    if only not in ("", record.trial.backend):
        return record
    lanes = record.lanes.model_dump()
    for lane, names in TIMES.items():
        for name in names if lanes.get(lane) else ():
            lanes[lane][name] = [seconds * times for seconds in lanes[lane][name]]
    return remade(record, lanes=lanes)


def remade(record, **changes):
    return seal({**record.model_dump(), **changes})


def noisy_records(*, slower=1.0, seed=1, noise=0.01, trials=TRIALS, **changes):
    """Every trial takes `slower` times as long, more or less."""
    draw = np.random.default_rng(seed)
    return [
        longer(build_record(trial, **changes), slower * draw.lognormal(0, noise))
        for trial in trials
    ]


def run_in(folder, *, slower=1.0, seed=1, trials=TRIALS, records=None, **changes):
    records = noisy_records(slower=slower, seed=seed, trials=trials) if records is None else records
    run = build_run(trials, **{"run_id": folder.name, **changes})
    return write_folder(folder, run, [remade(one, run_id=run.run_id) for one in records])


def one_run(name="first", *, records=None, trials=TRIALS, **changes):
    """The same without a folder, as a side of a comparison."""
    return Side(runs=(compared_run(name, records=records, trials=trials, **changes),))


def compared_run(name="first", *, records=None, trials=TRIALS, **changes):
    records = noisy_records(trials=trials) if records is None else records
    run = build_run(trials, **{"run_id": name, **changes})
    return ComparedRun(name=name, run=run, cells=group(run, records))


def elsewhere(**changes):
    """The environment of another machine; without changes one of another name."""
    return {**environment(), **(changes or {"host_sha256": "cd" * 32})}


def with_settings(records, **settings):
    """The records with these settings in force."""
    return [
        remade(one, settings={"requested": {}, "effective": {**one.settings.effective, **settings}})
        for one in records
    ]


def timed_otherwise(trials=TRIALS, **changes):
    """The same trials, looked at for longer or in another way."""
    return [replace(trial, timing=replace(trial.timing, **changes)) for trial in trials]
