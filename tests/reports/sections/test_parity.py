"""How certificates are shown: to a reader, a terminal, a machine and CI."""

import json
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest

from bench.profiles import CERTIFICATE
from bench.record import Record, RungModel
from bench.spec import Trial
from reports.exports import junit
from reports.exports import parity as export
from reports.results import parity
from reports.results.cells import CellResults, group
from tests.records import build_record, build_records, build_run, failed_record, failed_rung, plan
from tests.reports.tables_of import table_with

WHY = "rung gradient: measured 0.0099, gate 5e-05: <b>dense_0/kernel</b>"
COUNTS = ("tests", "failures", "errors")
GONE = "no module named torch"
TRIALS = plan(workloads=("mlp-512",), seeds=(), rounds=1, parity=CERTIFICATE)


def exact(trial: Trial) -> bool:
    return trial.parity is not None and trial.parity.precision == "float64"


def trouble(trial: Trial) -> Record | None:
    """Keras diverges in float32, torch is not there."""
    if trial.kind != "parity":
        return None
    if trial.cell.backend == "pytorch":
        return failed_record(trial, "unavailable", GONE if exact(trial) else f"not run: {GONE}")
    if exact(trial):
        return None
    whole = build_record(trial).parity.model_dump()
    rungs = [*whole["rungs"][:4], failed_rung("gradient", 0.0099, 5e-5)]
    return failed_record(trial, "parity_failed", WHY, parity={**whole, "rungs": rungs})


def cells(records: Sequence[Record]) -> tuple[CellResults, ...]:
    return group(build_run(TRIALS), records)


@pytest.fixture(scope="module")
def good() -> tuple[CellResults, ...]:
    return cells(build_records(TRIALS))


@pytest.fixture(scope="module")
def bad() -> tuple[CellResults, ...]:
    return cells(build_records(TRIALS, trouble))


@pytest.mark.parametrize(
    ("measured", "gate", "passed", "shown"),
    [
        (0.0, 0.0, True, "exact"),
        (0.0, 1e-5, True, "equal"),
        (1e-5, 1e-5, True, "1.0x"),
        (1.3e-6, 1e-5, True, "7.7x"),
        (7e-7, 1e-5, True, "14x"),
        (1e-15, 1e-11, True, "10,000x"),
        (3.0, 0.0, False, "failed"),
        (2e-5, 1e-5, False, "failed"),
    ],
)
def test_the_margin_is_how_often_the_measured_value_fits(measured, gate, passed, shown):
    rung = RungModel(rung="forward", measured=measured, gate=gate, passed=passed, where=None)
    assert parity.margin(rung) == shown


def test_the_verdict_counts_certificates(good, bad):
    assert parity.verdict(good) == "Parity holds: 4 of 4 certificates."
    assert parity.verdict(bad) == "Parity is not shown: 1 of 4 certificates."


def test_a_certificate_without_a_record_is_not_good():
    records = [record for record in build_records(TRIALS) if not exact(record.trial.trial())]
    assert parity.verdict(cells(records)) == "Parity is not shown: 2 of 4 certificates."


def test_without_a_certificate_nothing_holds():
    assert parity.verdict(()) == "Parity is not shown: 0 of 0 certificates."
    timed = [trial for trial in TRIALS if trial.kind == "timing"]
    uncertified = group(build_run(timed), build_records(timed))
    assert parity.verdict(uncertified) == "Parity is not shown: 0 of 0 certificates."


def test_each_failure_is_a_line(good, bad):
    assert parity.failures(good) == []
    assert parity.failures(bad) == [
        f"mlp-512 in keras-tensorflow (cpu), float32: parity_failed: {WHY}",
        f"mlp-512 in pytorch (cpu), float64: unavailable: {GONE}",
        f"mlp-512 in pytorch (cpu), float32: unavailable: not run: {GONE}",
    ]


def test_a_table_has_a_row_a_rung_and_two_columns_a_cell(bad):
    ((name, headers, rows),) = parity.certificates(bad)
    assert name == "mlp-512"
    assert headers == [
        "rung", "precision", "gate", "keras-tensorflow (cpu)", "margin", "pytorch (cpu)", "margin",
    ]  # fmt: skip
    by_place = {(row[0], row[1]): row[2:] for row in rows}
    assert by_place["gradient", "float32"] == ["5e-05", "0.0099", "failed", "–", "–"]  # noqa: RUF001
    assert by_place["data", "float64"][:3] == ["exact", "0", "exact"]
    # float32 stopped at the gradient, float64 went on to the end
    assert ("trajectory", "float64") in by_place
    assert ("update", "float32") not in by_place
    names = [row[0] for row in rows]
    assert names == sorted(names, key=parity.RUNGS.index)


def test_a_certificates_table_holds_parity_trials_alone(good):
    """The short certificates of other trials belong to the report's own section."""
    kinds = {one.certified for one in parity.list_rungs(good)}
    assert kinds == {True, False}
    assert {one.certified for one in parity.list_rungs(good, kinds=("parity",))} == {True}


def test_a_rung_that_is_not_known_here_comes_last():
    parity_of = build_record(TRIALS[0]).parity.model_dump()
    other = {**parity_of["rungs"][-1], "rung": "moon phase"}
    changed = {**parity_of, "rungs": [other, *parity_of["rungs"]]}
    ((_, _, rows),) = parity.certificates(cells([build_record(TRIALS[0], parity=changed)]))
    assert [row[0] for row in rows][-1] == "moon phase"


def test_a_summary_escapes_what_others_wrote(bad):
    text = export.as_markdown(bad)
    assert text.startswith("## Parity\n\nParity is not shown: 1 of 4 certificates.\n\n- mlp-512 in")
    assert "<b>" not in text
    assert "&lt;b&gt;dense_0/kernel" in text
    # two columns are called margin, so the table read back has the last cell's
    row = next(row for row in table_with(text, "rung", "gate") if row["rung"] == "gradient")
    assert row["keras-tensorflow (cpu)"] == "0.0099"


def test_a_terminal_sees_the_verdict_last(good, bad):
    assert export.as_text(good).endswith("\n\nParity holds: 4 of 4 certificates.")
    *_, failed, verdict = export.as_text(bad).split("\n\n")
    assert failed.endswith(GONE)
    assert verdict == parity.verdict(bad)


def test_a_machine_gets_every_certificate(bad):
    entries = json.loads(json.dumps(export.as_json(bad), allow_nan=False))
    assert [(one["backend"], one["precision"], one["status"]) for one in entries] == [
        ("keras-tensorflow", "float64", "ok"),
        ("keras-tensorflow", "float32", "parity_failed"),
        ("pytorch", "float64", "unavailable"),
        ("pytorch", "float32", "unavailable"),
    ]
    assert [len(one["rungs"]) for one in entries] == [9, 5, 0, 0]
    records = [record for results in bad for record in results.records]
    assert {one["certificate_sha256"] for one in entries} == {
        record.sha256 for record in records if record.trial.kind == "parity"
    }


def test_junit_has_a_suite_a_certificate_and_a_case_a_rung(bad):
    root = ElementTree.fromstring(junit.as_junit(bad))
    assert [suite.get("name") for suite in root] == [
        "mlp-512.keras-tensorflow (cpu).float64",
        "mlp-512.keras-tensorflow (cpu).float32",
        "mlp-512.pytorch (cpu).float64",
        "mlp-512.pytorch (cpu).float32",
    ]
    counts = [tuple(int(suite.get(key)) for key in COUNTS) for suite in root]
    assert counts == [(9, 0, 0), (5, 1, 0), (1, 0, 1), (1, 0, 1)]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "measured 0.0099, gate 5e-05: dense_0/kernel"
    assert [error.get("message") for error in root.iter("error")] == [
        f"unavailable: {GONE}",
        f"unavailable: not run: {GONE}",
    ]


def test_junit_of_good_certificates_has_no_failure(good):
    root = ElementTree.fromstring(junit.as_junit(good))
    assert len(root) == 4
    assert list(root.iter("failure")) == list(root.iter("error")) == []


def test_what_no_xml_may_hold_is_left_out():
    """A framework's messages come with colours, bells and line ends."""
    strange = cells([failed_record(TRIALS[0], "failed", "\x1b[31mred\x07 & <tag>\nand more")])
    (error,) = ElementTree.fromstring(junit.as_junit(strange)).iter("error")
    assert error.get("message") == "failed: [31mred & <tag> and more"
    (line,) = parity.failures(strange)
    assert line.endswith("float64: failed: [31mred & <tag> and more")
