"""Certificates are measured before times, in a run and by `samestep parity`; workers are scripts.

What a worker measures for a certificate is tested in test_worker.py.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from backends import Place
from bench import mnist
from bench.cli import parity as command
from bench.errors import WriteError
from bench.profiles import CERTIFICATE, Profile
from bench.record import Record
from bench.record.folder import RunFolder
from bench.record.run import RunModel, read_run, write_run
from bench.record.stored import read_records, record_path
from bench.run.display import TerminalDisplay
from bench.run.plan import parity_trials
from bench.run.planner import Planner
from bench.run.request import Request
from bench.run.runner import Runner
from bench.spec import AccuracyPlan, Cell, Execution, TimingPlan, Trial
from bench.workloads import MLP_512
from reports.results.cells import CellResults, group
from reports.text import escape
from tests.fakes.scripts import write_answers
from tests.records import build_run, failed_rung

Answers = Mapping[str, Mapping[str, Any]]

WHY = "rung gradient: measured 0.0099, gate 5e-05: dense_0/kernel"
FAILED = {
    "status": "parity_failed",
    "reason": WHY,
    "rungs": [failed_rung("gradient", 0.0099, 5e-5)],
}
MISSING = {"status": "unavailable", "reason": "no module named torch"}
ANSWERS: dict[str, Answers] = {
    "wrong": {"float64": FAILED},
    "imprecise": {"float32": FAILED},
    "missing": {"float64": MISSING},
    "good": {},
}
TIMING = TimingPlan(
    window_blocks=2, blocks=2, steps_per_block=2, native_steps=2, native_slices=1,
    tutorial_steps=1,
)  # fmt: skip
ORDER = ("float64", "float32", "timing", "accuracy")


def cell_of(backend: str) -> Cell:
    how = Execution(device="cpu", batch_size=MLP_512.batch_size)
    return Cell(workload="mlp-512", backend=backend, execution=how)


def trials_of(backends: Any) -> list[Trial]:
    """Return all certificates, then one timing trial and one accuracy trial per cell."""
    cells = [cell_of(name) for name in backends]
    return [
        *parity_trials(cells, Profile(name="any", rounds=1)),
        *(Trial(kind="timing", cell=cell, seed=0, round=0, timing=TIMING) for cell in cells),
        *(
            Trial(kind="accuracy", cell=cell, seed=0, accuracy=AccuracyPlan(epochs=1))
            for cell in cells
        ),
    ]


def label(trial: Trial) -> str:
    return trial.kind if trial.parity is None else trial.parity.precision


@dataclass(frozen=True)
class CertifiedRun:
    folder: Path
    run: RunModel
    runner: Runner

    @property
    def records(self) -> dict[tuple[str, str], Record]:
        """Return the records by backend, and kind or precision."""
        return {
            (record.trial.backend, label(record.trial.trial())): record
            for record in read_records(self.folder, self.run)
        }


def runner_for(folder: Path, answers: Mapping[str, Answers]) -> Runner:
    interpreters = {name: write_answers(folder, name, how) for name, how in answers.items()}
    request = Request(
        workloads=[MLP_512],
        backends=tuple(answers),
        devices=["cpu"],
        profile=Profile(name="any", rounds=1),
        interpreters=interpreters,
        places=dict.fromkeys(answers, Place(adapter="none", environment="none")),
        dump=Path("arrays"),
    )
    with TerminalDisplay() as display:
        return Runner(request, folder / "run", folder, display)


def new_run(folder: Path, answers: Mapping[str, Answers]) -> CertifiedRun:
    """Return a run without a pilot and without a record."""
    trials = trials_of(answers)
    known = {"versions": {"fake": "1.0"}, "devices": ["cpu"], "unavailable": None}
    run = build_run(trials, backends=dict.fromkeys(answers, known), sessions=[])
    write_run(run, folder / "run")
    return CertifiedRun(folder / "run", run, runner_for(folder, answers))


@pytest.fixture(scope="module", autouse=True)
def _load_once(data: mnist.Mnist) -> Iterator[None]:
    """Read and verify the data once; test_mnist.py tests that step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mnist, "load", lambda: data)
        yield


@pytest.fixture(scope="module")
def certified_run(tmp_path_factory: pytest.TempPathFactory) -> CertifiedRun:
    run = new_run(tmp_path_factory.mktemp("certified"), ANSWERS)
    run.runner.execute(run.run)
    return run


@pytest.mark.parametrize(
    ("backend", "statuses"),
    [
        ("wrong", ["parity_failed"] * 4),
        ("imprecise", ["ok", *["parity_failed"] * 3]),
        ("missing", ["unavailable"] * 4),
        ("good", ["ok"] * 4),
    ],
)
def test_trials_of_a_cell_depend_on_its_certificate_and_the_other_cells_go_on(
    certified_run, backend, statuses
):
    assert [certified_run.records[backend, which].status for which in ORDER] == statuses


@pytest.mark.parametrize(
    ("backend", "own", "reason"),
    [("wrong", 1, WHY), ("imprecise", 2, WHY), ("missing", 1, MISSING["reason"])],
)
def test_a_trial_without_a_good_certificate_does_not_run(certified_run, backend, own, reason):
    """The reason is given once, however long the chain; no process started, so there is no log."""
    records = [certified_run.records[backend, which] for which in ORDER]
    ran, skipped = records[:own], records[own:]
    assert ran[-1].reason == reason
    assert [record.reason for record in skipped] == [f"not run: {reason}"] * len(skipped)
    logs = {log.stem for log in (certified_run.folder / "logs").iterdir()}
    assert all(record.name in logs for record in ran)
    assert not any(record.name in logs for record in skipped)
    assert all(record.contention is None for record in skipped)


def test_each_record_points_to_the_certificate_before_it(certified_run):
    exact, single, timing, accuracy = (certified_run.records["good", which] for which in ORDER)
    assert exact.parity.certificate_sha256 is None
    assert single.parity.certificate_sha256 == exact.sha256
    assert timing.parity.certificate_sha256 == single.sha256
    assert accuracy.parity.certificate_sha256 == single.sha256


def test_only_float64_trials_write_a_dump(certified_run):
    records = {which: certified_run.records["good", which] for which in ORDER}
    folders = {which: record.settings.effective["dump"] for which, record in records.items()}
    # an absolute path, because the worker has a different working folder
    assert folders == {**dict.fromkeys(ORDER), "float64": str(Path.cwd() / "arrays")}


def test_a_trial_that_was_not_run_is_not_missing(certified_run):
    assert RunFolder(certified_run.folder).missing(certified_run.run) == []


def test_a_resumed_run_uses_the_certificates_that_it_has(tmp_path):
    story = new_run(tmp_path, {"good": {}})
    story.runner.execute(story.run)
    before = story.records
    for which in ("float32", "timing"):
        record_path(story.folder, before["good", which].trial).unlink()
    again = runner_for(tmp_path, {"good": {"float32": FAILED}})
    again.execute(story.run)
    after = story.records
    assert after["good", "float64"] == before["good", "float64"]
    single = after["good", "float32"]
    assert single.parity.certificate_sha256 == before["good", "float64"].sha256
    assert single.status == "parity_failed"
    assert after["good", "timing"].reason == f"not run: {WHY}"


@dataclass(frozen=True)
class Answered:
    code: int
    out: str
    err: str
    folder: Path

    @property
    def records(self) -> list[Record]:
        return list(read_records(self.folder, read_run(self.folder)))


Parity = Callable[..., Answered]


@pytest.fixture
def parity(samestep: Callable[..., tuple[int, str, str]], tmp_path: Path) -> Parity:
    """Return `samestep parity` of one workload, with a script for each backend in `answers`."""

    def run(answers: Mapping[str, Answers], *more: str) -> Answered:
        folder = tmp_path / "run"
        arguments = ["--workload", "mlp-512", "--device", "cpu", "--out", str(folder)]
        for backend, how in answers.items():
            worker = write_answers(tmp_path, backend, how)
            arguments += ["--backend", backend, "--python", f"{backend}={worker}"]
        return Answered(*samestep("parity", *arguments, *more), folder)

    return run


def test_parity_that_holds_is_exit_code_0(parity):
    answered = parity({"pytorch": {}})
    assert answered.code == 0
    assert answered.out.endswith("\n\nParity holds: 2 of 2 certificates.\n")
    assert f"records: {answered.folder}" in answered.err
    assert [label(record.trial.trial()) for record in answered.records] == ["float64", "float32"]


def test_parity_that_fails_is_exit_code_1_and_names_the_place(parity):
    answered = parity({"pytorch": {"float32": FAILED}})
    assert answered.code == 1
    assert answered.out.endswith(
        f"\n\nmlp-512 in pytorch (cpu), float32: parity_failed: {WHY}"
        "\n\nParity is not shown: 1 of 2 certificates.\n"
    )


def test_a_backend_that_is_missing_has_no_parity(parity):
    answered = parity({"pytorch": {"float64": MISSING}}, "--precision", "float64")
    assert answered.code == 1
    assert "float64: unavailable: no module named torch\n" in answered.out
    assert answered.out.endswith("Parity is not shown: 0 of 1 certificates.\n")


def test_a_single_precision_can_be_selected(parity):
    answered = parity({"pytorch": {}}, "--precision", "float32", "--json")
    assert answered.code == 0
    (record,) = answered.records
    (entry,) = json.loads(answered.out)["certificates"]
    assert entry["precision"] == record.trial.parity.precision == "float32"
    assert entry["certificate_sha256"] == record.sha256
    assert record.parity.certificate_sha256 is None


@pytest.fixture
def cells(certified_run: CertifiedRun, monkeypatch: pytest.MonkeyPatch) -> tuple[CellResults, ...]:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return group(certified_run.run, certified_run.records.values())


def test_parity_answers_in_json(certified_run, cells, capsys):
    command.answer(cells, None, as_json=True)
    entries = json.loads(capsys.readouterr().out)["certificates"]
    certificates = {(entry["backend"], entry["precision"]): entry for entry in entries}
    assert {key: entry["status"] for key, entry in certificates.items()} == {
        key: record.status for key, record in certified_run.records.items() if key[1] in ORDER[:2]
    }
    failed = certificates["imprecise", "float32"]
    assert (failed["reason"], failed["rungs"]) == (WHY, FAILED["rungs"])
    assert failed["versions"]["fake"] == "1.0"
    record = certified_run.records["imprecise", "float32"]
    assert failed["certificate_sha256"] == record.sha256


def test_failures_are_counted_in_junit(cells, tmp_path):
    command.answer(cells, tmp_path / "deep" / "junit.xml", as_json=False)
    suites = ElementTree.parse(tmp_path / "deep" / "junit.xml").getroot()
    assert len(suites) == 8
    # a failed certificate names its rung; a missing one, or one that did not run, its trial
    assert sum(int(suite.get("failures")) for suite in suites) == 2
    assert sum(int(suite.get("errors")) for suite in suites) == 3
    assert sum(int(suite.get("tests")) for suite in suites) == len(list(suites.iter("testcase")))


def test_a_summary_of_ci_keeps_its_earlier_text(cells, tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("of another step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    command.answer(cells, None, as_json=False)
    text = summary.read_text()
    assert text.startswith("of another step\n## Parity\n\nParity is not shown: 3 of 8")
    assert f"- mlp-512 in imprecise (cpu), float32: parity_failed: {escape(WHY)}\n" in text


def test_a_summary_that_can_not_be_written_is_an_error(cells, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(WriteError, match=f"^cannot write {tmp_path}: Is a directory$") as caught:
        command.answer(cells, None, as_json=False)
    assert caught.value.exit_code == 74


PRECISIONS = "float64, float32, tf32, bfloat16"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--precision", "float16"],
         f"unknown precision. Expected: one of {PRECISIONS}. Received: 'float16'"),
        (["--precision", "float32,exact"],
         f"unknown precision. Expected: one of {PRECISIONS}. Received: 'exact'"),
        (["--precision", "float32", "--dump", "arrays"],
         "--dump writes what the float64 trials compute. Expected: float64 among --precision. "
         "Received: 'float32'"),
    ],
    ids=["unknown", "one of two", "dump"],
)  # fmt: skip
def test_a_wrong_selection_is_refused_with_one_line(samestep, tmp_path, arguments, message):
    out = tmp_path / "run"
    code, out_text, err = samestep("parity", "--device", "cpu", "--out", str(out), *arguments)
    assert (code, out_text, err) == (2, "", f"samestep: {message}\n")
    assert not out.exists()


def test_a_folder_in_use_is_refused_by_parity(samestep, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    code, _, err = samestep("parity", "--device", "cpu", "--out", str(tmp_path))
    assert code == 2
    assert f"{tmp_path} is in use" in err


def test_an_interruption_is_exit_code_130(parity, monkeypatch):
    def interrupt(self: Planner) -> RunModel:
        raise KeyboardInterrupt

    monkeypatch.setattr(Planner, "parity_run", interrupt)
    answered = parity({"pytorch": {}})
    assert (answered.code, answered.out) == (130, "")
    assert answered.err.endswith("samestep: interrupted\n")


def test_without_a_precision_the_complete_certificate_is_selected():
    every = command.select_precisions([])
    assert command.parity_profile(every, dumping=True).parity == CERTIFICATE
