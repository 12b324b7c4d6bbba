"""The answer of a run in a terminal: table, headline and next command, from its records alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli.next_command import next_commands
from bench.cli.speed_table import speed_table, speeds_so_far
from bench.record import Record
from bench.spec import Trial
from reports.results.report import Report
from tests.records import (
    BACKENDS,
    build_record,
    build_run,
    environment,
    failed_record,
    plan,
    write_folder,
)

WORKLOADS = ("mlp-512-256", "mlp-512", "mlp-256-256-128-64", "mlp-1000", "cnn")
FIVE = ("keras-tensorflow", "keras-jax", "keras-torch", "pytorch", "jax")


def report_of(trials: Sequence[Trial], **changes: object) -> Report:
    return Report(build_run(trials, **changes), [build_record(trial) for trial in trials])


def timed(rounds: int, workloads: Sequence[str] = ("mlp-512",), **options: object) -> list[Trial]:
    return plan(workloads=workloads, rounds=rounds, seeds=(), **options)


def known(names: Sequence[str], unavailable: str | None = None) -> dict[str, object]:
    backend = {"versions": {}, "devices": ["cpu"], "unavailable": unavailable}
    return dict.fromkeys(names, backend)


def in_mode(trials: Sequence[Trial], mode: str) -> list[Trial]:
    """Return the trials with their cells in this mode."""
    return [
        replace(trial, cell=replace(trial.cell, execution=replace(trial.cell.execution, mode=mode)))
        for trial in trials
    ]


@pytest.fixture(params=[60, 80], autouse=True)
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


def test_the_table_has_a_block_per_workload_with_the_fastest_first():
    lines = speed_table(report_of(timed(3, ["mlp-512", "cnn"]))).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("---"))
    title = "cpu, full training loop, medians of 3 rounds, speed-up against keras-tensorflow"
    assert " ".join(lines[: start - 1]) == title
    assert [line.split()[0] for line in lines[start + 1 :]] == [
        *("mlp-512", "pytorch", "keras-tensorflow"),
        *("cnn", "pytorch", "keras-tensorflow"),
        *("geometric", "pytorch"),
    ]
    assert [line.split()[-1] for line in lines if "keras-tensorflow  " in line] == ["baseline"] * 2


def test_the_values_are_those_of_the_report():
    report = report_of(timed(3))
    (standing,) = (one for one in report.standings[0].cells if one.speedup is not None)
    speed = standing.results.speed
    (row,) = (line for line in speed_table(report).splitlines() if "  pytorch " in line)
    _, milliseconds, images, speedup = row.split()
    assert float(milliseconds) == pytest.approx(1000 * speed.native_seconds.value, rel=0.005)
    assert float(images.replace(",", "")) == pytest.approx(speed.samples_per_second, rel=0.005)
    assert float(speedup.removesuffix("x")) == pytest.approx(standing.speedup.value, rel=0.005)


@pytest.mark.parametrize(("rounds", "has_intervals"), [(5, False), (6, True)])
def test_intervals_are_shown_from_six_rounds_on(rounds, has_intervals):
    text = speed_table(report_of(timed(rounds)))
    assert ("95 % intervals" in text, " to " in text) == (has_intervals, has_intervals)


def test_the_table_of_all_workloads_and_backends_fits_the_terminal(width):
    trials = timed(6, WORKLOADS, backends=FIVE)
    lines = speed_table(report_of(trials, backends=known(FIVE))).splitlines()
    assert max(map(len, lines)) <= width
    # no name is broken
    assert {line.strip().split("  ")[0] for line in lines[3:]} >= {*FIVE, *WORKLOADS}
    assert len([line for line in lines if "1.2" in line or "1.0" in line]) >= 5


def test_other_modes_are_in_the_table_only_without_a_default_mode():
    default, compiled = timed(3), in_mode(timed(3), "compiled")
    both = report_of([*default, *compiled])
    assert "compiled" not in speed_table(both)
    alone = report_of(compiled)
    assert speed_table(alone).startswith("cpu, compiled, full training loop, medians of 3 rounds\n")


def test_each_device_has_its_own_table():
    trials = timed(3, devices=("cpu", "cuda:0"))
    run = build_run(trials, gpu=True)
    report = Report(run, [build_record(trial, gpu=True) for trial in trials])
    titles = [block.splitlines()[0] for block in speed_table(report).split("\n\n")]
    assert [title.split(",")[0] for title in titles] == ["cpu", "cuda:0"]


def failing(status: str) -> Callable[[Trial], Record]:
    return lambda trial: failed_record(trial, status, "a reason")


def test_the_mean_over_one_workload_is_its_speedup():
    (found,) = report_of(timed(8)).standings
    (mean,) = found.means
    (speedup,) = (one.speedup for one in found.cells if one.speedup is not None)
    for part in ("value", "low", "high"):
        assert getattr(mean.speedup, part) == pytest.approx(getattr(speedup, part), rel=1e-9)


@pytest.mark.parametrize(
    ("report", "commands"),
    [
        (report_of(timed(8)),
         ["samestep compare 'a run' RUN", "samestep publish 'a run' --to DIR"]),
        (report_of(timed(4)), ["samestep run --resume 'a run' --rounds 6"]),
        (report_of(timed(1), profile="smoke"), ["samestep run --profile standard"]),
        (Report(build_run(timed(2)), []), ["samestep run --resume 'a run'"]),
        (Report(build_run(timed(2), backends=known(BACKENDS, "no module")),
                list(map(failing("unavailable"), timed(2)))),
         ["samestep doctor --environments"]),
        # trials that failed would fail again
        (Report(build_run(timed(4)), [
            failing("killed")(trial) if trial.cell.backend == "pytorch" else build_record(trial)
            for trial in timed(4)]),
         ["samestep compare 'a run' RUN", "samestep publish 'a run' --to DIR"]),
    ],
    ids=["good", "undecided", "smoke", "incomplete", "unavailable", "failed"],
)  # fmt: skip
def test_the_next_command_follows_from_the_run(report, commands):
    lines = list(next_commands(report, Path("a run")))
    assert [line.partition(": ")[2] for line in lines] == commands


def test_show_prints_table_and_headline_from_the_records(samestep, tmp_path, width):
    trials = timed(6)
    folder = write_folder(tmp_path / "run", build_run(trials), map(build_record, trials))
    code, out, err = samestep("show", str(folder))
    assert (code, err) == (0, "")
    assert "\ncpu, full training loop, medians of 6 rounds" in out
    assert out.startswith("Intel(R) Xeon(R) Processor @ 2.20GHz, 2 logical cores")
    assert "PyTorch trains 1." in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= width
    # it writes nothing
    assert {path.name for path in folder.iterdir()} == {"run.json", "records"}


def test_names_in_records_cannot_control_the_terminal(samestep, tmp_path):
    trials = timed(1)
    machine = {**environment(), "cpu": "\x1b[2Ja CPU\u202e"}
    run = build_run(trials, environment=machine)
    folder = write_folder(tmp_path / "run", run, map(build_record, trials))
    code, out, _ = samestep("show", str(folder))
    assert code == 0
    assert "a CPU" in out
    assert out.replace("\n", "").isprintable()


def test_the_table_of_a_damaged_record_does_not_end_a_run(tmp_path):
    trials = timed(1)
    folder = write_folder(tmp_path / "run", build_run(trials), map(build_record, trials))
    assert speeds_so_far(folder).startswith("cpu, full training loop, medians of 1 round")
    next((folder / "records").iterdir()).write_text("{}")
    assert speeds_so_far(folder).startswith("no table: ")
