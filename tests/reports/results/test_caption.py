"""The caption of a figure: machine, versions, date, extent, run and hash."""

import pytest

from reports.results.caption import LONGEST_NAME, caption, versions
from reports.results.machine import cpu_name, machines
from reports.results.report import Report
from tests.records import build_records, build_run, environment, plan
from tests.reports.scenarios import gpu


def run_of(backends: dict[str, dict[str, str]], **changes):
    trials = plan(workloads=("mlp-512",), backends=tuple(backends), rounds=1, seeds=())
    entries = {
        name: {"versions": packages, "devices": ["cpu"], "unavailable": None}
        for name, packages in backends.items()
    }
    return build_run(trials, backends={**entries, **changes})


def test_main_versions_come_in_one_order_without_their_builds():
    run = run_of({
        "pytorch": {"torch": "2.15.0+cu132", "numpy": "2.4.6", "cuda": "13.2"},
        "keras-jax": {"keras": "3.15.1", "jax": "0.10.2", "jaxlib": "0.10.2"},
    })  # fmt: skip
    assert versions(run) == "Keras 3.15.1, PyTorch 2.15.0, JAX 0.10.2, samestep 0.1.0"


def test_two_versions_of_a_package_are_both_named():
    run = run_of({"keras-jax": {"keras": "3.15.1"}, "keras-torch": {"keras": "3.14.0"}})
    assert versions(run).startswith("Keras 3.15.1 and 3.14.0, ")


def test_a_plug_in_is_named_by_its_own_packages():
    run = run_of({"tiny": {"tinygrad": "0.9", "numpy": "2.4.6"}, "jax": {"jax": "0.10.2"}})
    assert versions(run) == "JAX 0.10.2, tinygrad 0.9, samestep 0.1.0"


def test_what_could_not_be_used_is_not_named():
    gone = {"versions": {"torch": "2.0"}, "devices": [], "unavailable": "no torch"}
    assert "PyTorch" not in versions(run_of({"jax": {"jax": "1"}, "pytorch": {}}, pytorch=gone))


@pytest.mark.parametrize(
    ("lost", "extent"), [(0, "3 rounds, 2 seeds"), (1, "2 of 3 rounds, 2 seeds")]
)
def test_rounds_that_did_not_end_are_not_counted(lost, extent):
    trials = plan(workloads=("mlp-512",), rounds=3, seeds=(1, 2), epochs=1)
    records = build_records(trials)
    assert caption(build_run(trials), records[: len(records) - lost], "ab").extent == extent


def test_a_run_without_rounds_has_seeds_alone():
    trials = plan(workloads=("mlp-512",), rounds=0, epochs=1)
    report = Report(build_run(trials), build_records(trials))
    assert report.caption.extent == "1 seed"
    assert report.content_hash[:12] in report.caption.line


def test_names_are_short_and_have_no_trade_marks():
    run, _ = gpu()
    assert cpu_name(run.environment) == "Intel Xeon Processor, 2 cores"
    assert machines(run) == "NVIDIA H200 with Intel Xeon Processor, 2 cores"
    assert machines(build_run(plan(rounds=1), gpu=True)) == "Intel Xeon Processor, 2 cores"
    long = build_run(plan(rounds=1), environment={**environment(), "cpu": "A" * 500})
    assert len(caption(long, [], "ab").machine) == LONGEST_NAME
    assert machines(build_run(plan(rounds=1), environment={**environment(), "cpu": " \n"})) == (
        "unnamed CPU, 2 cores"
    )
