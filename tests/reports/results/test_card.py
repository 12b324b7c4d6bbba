"""What the card says of a run: the same as its standings, and no more."""

from dataclasses import replace

import pytest
from hypothesis import given

from bench.profiles import CERTIFICATE
from bench.record import Record
from bench.spec import Trial
from bench.stats import Verdict
from reports.results.card import card, point_of
from reports.results.report import Report
from reports.sections.card import section
from reports.text import alternatives
from tests.records import build_record, build_records, build_run, failed_record, plan
from tests.reports.scenarios import complete, gpu, smoke
from tests.reports.tables_of import compose
from tests.strategies import any_run, some


def report_of(change=None, *, profile="standard", **options) -> Report:
    trials = plan(**{"seeds": (), **options})
    return Report(build_run(trials, profile=profile), build_records(trials, change))


def slowed(backend: str, factor: float):
    """Return a change that makes the native lane of a backend take `factor` times as long."""

    def change(trial: Trial) -> Record | None:
        if trial.cell.backend != backend or trial.kind != "timing":
            return None
        lanes = build_record(trial).lanes.model_dump()
        for name in ("slice_seconds", "short_slice_seconds"):
            lanes["native"][name] = [factor * value for value in lanes["native"][name]]
        return build_record(trial, lanes=lanes)

    return change


def test_a_card_shows_the_standings_of_the_first_device():
    report = Report(*complete())
    shown, standings = card(report), report.standings[0]
    assert shown.baseline == standings.baseline == "keras-tensorflow"
    assert shown.backends == ("pytorch", "keras-tensorflow")
    assert [row.name.replace("\u00a0", " ") for row in shown.rows] == [
        "geometric mean of 2 networks", "mlp-512", "cnn",
    ]  # fmt: skip
    assert [point.speedup for row in shown.rows for point in row.points] == [
        standings.means[0].speedup,
        *(standing.speedup for standing in standings.cells if standing.speedup is not None),
    ]
    assert all(point.is_shown for row in shown.rows for point in row.points)
    assert shown.marks == ("same math 4 of 4", "95 % interval over 10 rounds")
    assert shown.stamp == ""


def test_the_fastest_backend_comes_first():
    assert card(report_of(slowed("pytorch", 3))).backends == ("keras-tensorflow", "pytorch")


def test_one_workload_has_no_mean():
    shown = card(report_of(workloads=("cnn",)))
    assert [row.name for row in shown.rows] == ["cnn"]
    assert shown.summary.keys() == {"pytorch"}


def test_without_a_mean_no_value_stands_for_all():
    def no_baseline(trial: Trial) -> Record | None:
        keras = trial.cell.workload == "cnn" and trial.cell.backend == "keras-tensorflow"
        return failed_record(trial, "failed", "why") if keras else None

    shown = card(report_of(no_baseline))
    assert [(row.name, len(row.points)) for row in shown.rows] == [("mlp-512", 1), ("cnn", 0)]
    assert shown.summary == {}
    assert "Keras on TensorFlow; a row for each network" in shown.alternative


@pytest.mark.parametrize(
    ("planned", "recorded", "stamp", "interval"),
    [
        (3, 3, "preliminary: 3 rounds, a verdict needs 6", "no interval: 3 rounds"),
        (9, 3, "preliminary: 3 of 9 rounds, a verdict needs 6", "no interval: 3 rounds"),
        (1, 1, "preliminary: 1 round, a verdict needs 6", "no interval: 1 round"),
        (6, 6, "", "95 % interval over 6 rounds"),
    ],
)
def test_few_rounds_are_stamped(planned, recorded, stamp, interval):
    trials = plan(rounds=planned, seeds=())
    records = [one for one in build_records(trials) if one.trial.round < recorded]
    shown = card(Report(build_run(trials), records))
    assert (shown.stamp, shown.marks[1]) == (stamp, interval)
    assert all(point.is_shown is (not stamp) for row in shown.rows for point in row.points)


def test_rounds_that_differ_are_a_range():
    def fail(trial: Trial) -> Record | None:
        one = trial.cell.workload == "cnn" and trial.round == 2
        return failed_record(trial, "timed_out", "why") if one else None

    assert card(report_of(fail)).marks[1] == "95 % interval over 9 to 10 rounds"


def test_a_smoke_run_is_stamped_and_shows_no_difference():
    shown = card(Report(*smoke()))
    assert shown.stamp == "smoke run: not for citation"
    assert not any(point.is_shown for row in shown.rows for point in row.points)


def test_a_smoke_run_of_many_rounds_shows_no_difference_either():
    shown = card(report_of(slowed("pytorch", 3), profile="smoke", rounds=10))
    assert all(point.speedup.low for row in shown.rows for point in row.points)
    assert not any(point.is_shown for row in shown.rows for point in row.points)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_what_has_a_verdict_is_shown_as_a_difference(verdict):
    standing = report_of(workloads=("mlp-512",)).standings[0].cells[1]
    assert standing.speedup is not None
    point = point_of(replace(standing, verdict=verdict))
    assert point.is_shown is (verdict not in ("UNCLEAR", "UNDECIDED"))
    assert not point_of(replace(standing, verdict=None)).is_shown


def test_a_cell_that_fails_parity_is_counted():
    def diverge(trial: Trial) -> Record | None:
        diverges = trial.cell.workload == "cnn" and trial.cell.backend == "pytorch"
        return failed_record(trial, "parity_failed", "why") if diverges else None

    assert card(report_of(diverge, parity=CERTIFICATE)).marks[0] == "same math 3 of 4"


def test_without_certificates_the_same_math_is_not_claimed():
    assert card(report_of()).marks[0] == "same math: no certificate"


def test_a_missing_certificate_is_not_counted():
    def lose(trial: Trial) -> Record | None:
        lost = trial.kind == "parity" and trial.cell.backend == "pytorch"
        return failed_record(trial, "killed", "why") if lost else None

    assert card(report_of(lose, parity=CERTIFICATE)).marks[0] == "same math 2 of 4"


def test_the_card_of_a_gpu_names_it_with_its_host():
    run, records = gpu()
    only = [trial for trial in run.trials if trial.execution.device != "cpu"]
    shown = card(Report(run.model_copy(update={"trials": only}), [
        one for one in records if one.trial.execution.device != "cpu"
    ]))  # fmt: skip
    assert shown.title == "NVIDIA H200 with Intel Xeon Processor, 2 cores"
    assert card(Report(run, records)).title == "Intel Xeon Processor, 2 cores"


def test_one_backend_alone_has_no_card():
    report = report_of(backends=("pytorch",))
    assert card(report) is None
    assert not list(section(report))


def test_nothing_timed_has_no_card():
    assert card(report_of(rounds=0, seeds=(1,))) is None


def test_the_section_shows_both_themes_with_the_values_in_words():
    report = Report(*complete())
    words = alternatives(compose(report))
    assert words["figures/card-light.svg"] == words["figures/card-dark.svg"]
    value = f"{card(report).summary['pytorch'].speedup.value:.2f}"
    assert (
        f"as a multiple of Keras on TensorFlow: PyTorch {value}" in words["figures/card-dark.svg"]
    )


@some(10)
@given(any_run())
def test_no_card_contradicts_its_run(drawn):
    report = Report(*drawn)
    shown = card(report)
    if shown is None:
        assert all(s.speedup is None for table in report.standings for s in table.cells)
        return
    speeds = {name: point.speedup.value for name, point in shown.summary.items()}
    ranked = [speeds[name] for name in shown.backends if name in speeds]
    assert ranked == sorted(ranked, reverse=True)
    if not report.pairs:
        assert not any(point.is_shown for row in shown.rows for point in row.points)
