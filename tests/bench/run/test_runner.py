"""A run of fakes has a process per trial; if one of them fails, the others go on."""

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from backends import Place
from bench import mnist
from bench.cli import options, run
from bench.errors import RecordError, SamestepError
from bench.profiles import Profile
from bench.record import Record, read_record
from bench.record.archive import ARCHIVE, write_archive
from bench.record.folder import RunFolder, refuse_links
from bench.record.run import RunModel, now, read_run, write_run
from bench.record.stored import read_records, record_path
from bench.run import carry_out, process
from bench.run.events import DEADLINES
from bench.run.outcome import Outcome
from bench.run.pilot import Miss, Pilot, add_outcome
from bench.run.process import worker_packages
from bench.run.progress import Display
from bench.run.request import Request
from bench.run.runner import Runner
from bench.spec import AccuracyPlan, Cell, Execution, ParityPlan, Trial
from bench.workloads import MLP_512
from reports import report
from tests.fakes.adapter import FIT_SECONDS, NATIVE_STEP_SECONDS, PROGRAMS, STEP_SECONDS
from tests.fakes.scripts import write_script
from tests.records import build_record, build_run, plan, write_folder

FAKES = Path(__file__).parent.parent.parent / "fakes"
PLACES = {
    name: Place(adapter="fakes.adapter", environment="none")
    for name in (*PROGRAMS, "fake-missing", "hanging", "babbling", "nowhere")
}
INTERPRETERS = {**dict.fromkeys(PLACES, sys.executable), "nowhere": "/nowhere/python"}
# each process takes half a second, so the run is as small as possible
TINY = Profile(
    name="smoke",
    rounds=1,
    parity=(ParityPlan(precision="float32", steps=2, twin_steps=2),),
    window_blocks=2,
    blocks=2,
    native_seconds=0.0,
    tutorial_steps=1,
    repeats=False,
    epochs={"mlp-512": 1},
    train_images=640,
)


def request_for(*backends: str, **changes: Any) -> Request:
    whole = Request(
        workloads=[MLP_512],
        backends=backends,
        devices=["cpu"],
        profile=TINY,
        interpreters=INTERPRETERS,
        places=PLACES,
        packages=[FAKES],
    )
    return replace(whole, **changes)


@dataclass
class NotingDisplay(Display):
    """A display that notes each call, and is interrupted at a given trial."""

    interrupt_at: int | None = None
    notes: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def piloting(self, backend: str, device: str) -> None:
        self.notes.append(f"piloting {backend} {device}")

    def planned(self, run: RunModel, missing: Sequence[Trial]) -> None:
        self.notes.append(f"planned {len(missing)} of {len(run.trials)}")

    def started(self, trial: Trial) -> None:
        self.notes.append(f"started {trial.kind} {trial.cell.backend}")
        if sum(line.startswith("started") for line in self.notes) == self.interrupt_at:
            raise KeyboardInterrupt

    def epoch(self, trial: Trial, figures: Mapping[str, Any]) -> None:
        self.notes.append(f"epoch {figures['epoch']} {trial.cell.backend}")

    def ended(self, record: Record) -> None:
        self.records.append(record)

    def unwritten(self, record: Record, path: Path) -> None:
        self.notes.append(f"unwritten {path.name}")

    def added(self, trials: Sequence[Trial], why: str) -> None:
        self.notes.append(f"added {len(trials)}: {why}")


@pytest.fixture(scope="module", autouse=True)
def _quick(data: mnist.Mnist) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        # this process reads and verifies the data once; each worker does it again
        patch.setattr(mnist, "load", lambda: data)
        patch.setattr(process, "LEAVE_SECONDS", 0.05)
        # tests/reports tests the figures; here they would only take time
        patch.setattr(report, "FIGURES", ())
        yield


def accuracy_trial(backend: str, seed: int = 0) -> Trial:
    cell = Cell(
        workload="mlp-512", backend=backend, execution=Execution(device="cpu", batch_size=128)
    )
    accuracy = AccuracyPlan(epochs=1, train_images=640)
    return Trial(kind="accuracy", cell=cell, seed=seed, accuracy=accuracy)


def write_new_run(trials: Sequence[Trial], folder: Path, **changes: Any) -> RunModel:
    """Write a run without a pilot and without a record."""
    known = {"versions": {"fake": "1.0"}, "devices": ["cpu"], "unavailable": None}
    backends = dict.fromkeys((trial.cell.backend for trial in trials), known)
    run = build_run(trials, **{"backends": backends, "sessions": [], **changes})
    write_run(run, folder)
    return run


@dataclass(frozen=True)
class Trouble:
    """A run of workers that fail, and the processes that were left."""

    folder: Path
    run: RunModel
    display: NotingDisplay
    left: list[psutil.Process]

    def record(self, backend: str, seed: int = 0) -> Record:
        return next(
            record
            for record in self.display.records
            if (record.trial.backend, record.trial.seed) == (backend, seed)
        )

    def log(self, backend: str) -> str:
        (log,) = (self.folder / "logs").glob(f"*_{backend}_*.log")
        return log.read_text(encoding="utf-8")


HANGING = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child == 0: time.sleep(600)
print(os.getpid(), child, flush=True)
os.write(pipe, b'{"event": "phase", "phase": "build"}\\n')
time.sleep(600)
"""
BABBLING = "os.write(pipe, b'Intel MKL WARNING\\n')"
TROUBLES = ("fake-crash", "nowhere", "hanging", "babbling", "fake")


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Trouble:
    """Run trials with every failure that only a process can have; the last trial is good."""
    folder, display = tmp_path_factory.mktemp("trouble"), NotingDisplay()
    interpreters = {
        **INTERPRETERS,
        "hanging": write_script(folder, "hanging", HANGING),
        "babbling": write_script(folder, "babbling", BABBLING),
    }
    request = request_for(
        *TROUBLES, interpreters=interpreters, deadlines={**DEADLINES, "build": 0.2}
    )
    with worker_packages(*request.packages) as packages:
        runner = Runner(request, folder, packages, display)
        run = runner.execute(write_new_run([accuracy_trial(name) for name in TROUBLES], folder))
    return Trouble(folder, run, display, psutil.Process().children(recursive=True))


@pytest.mark.parametrize(
    ("backend", "status", "reason"),
    [
        ("fake-crash", "killed", "ended by SIGSEGV; see {log}"),
        ("nowhere", "unavailable", "cannot start /nowhere/python: No such file or directory"),
        ("hanging", "timed_out", "no progress in phase 'build'. Expected: within 0.2 s"),
        ("babbling", "failed",
         "the worker's result is not JSON. Received: b'Intel MKL WARNING'"),
        ("fake", "ok", None),
    ],
)  # fmt: skip
def test_each_failure_is_a_record_and_the_others_go_on(trouble, backend, status, reason):
    record = trouble.record(backend)
    log = f"{record.name}.log"
    assert record.status == status
    assert record.reason == (reason and reason.format(log=log))
    assert (record.accuracy is not None) == (status == "ok")


def test_trials_run_in_the_plans_order_and_epochs_are_displayed(trouble):
    assert trouble.display.notes == [
        "planned 5 of 5",
        *(f"started accuracy {name}" for name in TROUBLES),
        "epoch 1 fake",
    ]


def test_every_trial_leaves_its_record_in_the_folder(trouble):
    assert list(read_records(trouble.folder, trouble.run)) == trouble.display.records
    assert len(trouble.display.records) == len(TROUBLES)
    assert read_run(trouble.folder) == trouble.run
    assert [session.outcome for session in trouble.run.sessions] == ["complete"]


def is_gone(process: int) -> bool:
    """Return whether a process has ended; the parent of an orphan may leave it a zombie."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_no_process_is_left(trouble):
    assert trouble.left == []
    assert all(is_gone(int(process)) for process in trouble.log("hanging").split())


def test_a_record_has_what_its_worker_used(trouble):
    record = trouble.record("fake")
    assert record.environment.versions == {"fake": "1.0"}
    assert record.contention.worker_cpu_seconds > 0
    assert record.contention.wall_seconds >= record.timings.total_seconds
    assert record.memory.peak_rss_bytes > 2**20


@dataclass(frozen=True)
class Story:
    """A run that was interrupted at its third trial and then finished.

    Each of its workers leaves a process that keeps the pipe open.
    """

    folder: Path
    first: NotingDisplay
    interrupted: RunModel
    partial_report: str
    partial_exit_code: int
    kept: dict[str, tuple[int, int, bytes]]
    second: NotingDisplay
    finished: RunModel
    exit_code: int
    answer: dict[str, Any]


def files_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return the inode, the time and the content of each record by name."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted((folder / "records").iterdir())
    }


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story") / "run"
    request = request_for("fake-lingering", "nowhere")
    first = NotingDisplay(interrupt_at=3)
    interrupted = carry_out.run_trials(request, folder, None, first)
    partial_exit_code = run.conclude(interrupted, folder, named=True, as_json=False)
    partial_report = (folder / "report.md").read_text(encoding="utf-8")
    kept = files_of(folder)
    second = NotingDisplay()
    finished = carry_out.run_trials(request, folder, read_run(folder), second)
    with redirect_stdout(io.StringIO()) as answer:
        exit_code = run.conclude(finished, folder, named=False, as_json=True)
    return Story(
        folder, first, interrupted, partial_report, partial_exit_code, kept, second, finished,
        exit_code, json.loads(answer.getvalue()),
    )  # fmt: skip


def test_a_run_first_pilots_then_plans_then_runs_trials(story):
    assert story.first.notes == [
        "piloting fake-lingering cpu",
        "piloting nowhere cpu",
        "planned 3 of 4",
        "started parity fake-lingering",
        "started timing fake-lingering",
        "started accuracy fake-lingering",
    ]


def test_the_figures_of_the_pilot_are_in_the_run(story):
    (pilot,) = story.interrupted.pilot
    assert pilot.steps_per_block == 64
    assert pilot.step_seconds == STEP_SECONDS
    assert pilot.native_step_seconds == NATIVE_STEP_SECONDS
    assert story.interrupted.backends["fake-lingering"].versions["fake"] == "1.0"
    nowhere = "cannot start /nowhere/python: No such file or directory"
    assert story.interrupted.backends["nowhere"].unavailable == nowhere
    assert story.interrupted.estimate_seconds > 0


def test_an_interruption_leaves_finished_trials_intact(story):
    assert [session.outcome for session in story.interrupted.sessions] == ["interrupted"]
    statuses = {record.trial.backend: record.status for record in story.first.records}
    assert statuses == {"fake-lingering": "ok", "nowhere": "unavailable"}
    assert len(story.kept) == 3
    assert story.partial_exit_code == options.EXIT_INTERRUPTED == 130
    assert "mlp-512" in story.partial_report
    # no half-written file is left
    assert not list(story.folder.rglob(".*"))


def test_until_its_end_a_session_counts_as_killed_with_its_time_so_far(tmp_path):
    stored = []

    class StoringDisplay(NotingDisplay):
        def started(self, trial: Trial) -> None:
            stored.append(read_run(tmp_path).sessions)

    trials = [accuracy_trial("nowhere", seed) for seed in range(2)]
    before = {"started": now(), "wall_seconds": 9.0, "outcome": "killed"}
    run = write_new_run(trials, tmp_path, sessions=[before])
    done = Runner(request_for("nowhere"), tmp_path, tmp_path, StoringDisplay()).execute(run)
    outcomes = [[session.outcome for session in sessions] for sessions in stored]
    assert outcomes == [["killed", "killed"]] * 2
    first, second = (sessions[-1].wall_seconds for sessions in stored)
    assert first < second < done.sessions[-1].wall_seconds
    assert [session.outcome for session in done.sessions] == ["killed", "complete"]
    assert read_run(tmp_path) == done


def test_resuming_runs_only_missing_trials(story):
    assert story.second.notes == [
        "piloting fake-lingering versions",
        "planned 1 of 4",
        "started accuracy fake-lingering",
        "epoch 1 fake-lingering",
    ]
    outcomes = [session.outcome for session in story.finished.sessions]
    assert outcomes == ["interrupted", "complete"]
    after = files_of(story.folder)
    assert {name: after[name] for name in story.kept} == story.kept
    assert len(after) == 4


def test_resuming_does_not_change_the_plan(story):
    before, after = story.interrupted.model_dump(), story.finished.model_dump()
    assert {**before, "sessions": None} == {**after, "sessions": None}


def test_a_finished_run_has_a_report_and_an_exit_code(story):
    assert story.exit_code == 0
    assert story.answer == {
        "run": str(story.folder),
        "report": str(story.folder / "report.md"),
        "statuses": {"ok": 3, "unavailable": 1},
    }
    assert (story.folder / "report.md").read_text(encoding="utf-8") != story.partial_report


def test_processes_that_the_workers_left_are_gone(story):
    logs = [log.read_text(encoding="utf-8") for log in (story.folder / "logs").iterdir()]
    lines = [line for log in logs for line in log.splitlines() if line.startswith("lingering")]
    # one per program: the pilot's, two of the parity trial (one for its twin), and the others'
    assert len(lines) == 5
    assert all(is_gone(int(line.split()[-1])) for line in lines)


def test_the_timing_trial_followed_its_plan(story):
    record = next(r for r in story.first.records if r.lanes is not None)
    assert record.trial.timing.native_steps == 100
    assert record.lanes.step.block_seconds == [64 * STEP_SECONDS] * 2
    assert record.lanes.native.slice_seconds == [FIT_SECONDS + 100 * NATIVE_STEP_SECONDS]


def test_trials_point_to_the_certificate_of_their_cell(story):
    by_kind = {
        record.trial.kind: record
        for record in read_records(story.folder, story.finished)
        if record.status == "ok"
    }
    certificate = by_kind["parity"]
    assert certificate.parity.certificate_sha256 is None
    # the accuracy trial ran after the resumption
    for kind in ("timing", "accuracy"):
        assert by_kind[kind].parity.certificate_sha256 == certificate.sha256


def write_versions(folder: Path, versions: dict[str, str]) -> str:
    """Write a script that answers like a worker with these versions of the backend."""
    result = {"status": "ok", "reason": None, "versions": versions, "devices": ["cpu"], "cells": []}
    line = json.dumps({"event": "result", "result": result}) + "\n"
    return write_script(folder, "answering", f"os.write(pipe, {line.encode()!r})")


def test_a_run_is_not_continued_with_other_versions(tmp_path):
    run = write_new_run([accuracy_trial("fake")], tmp_path / "run")
    interpreters = {"fake": write_versions(tmp_path, {"fake": "2.0"})}
    with pytest.raises(SamestepError) as caught:
        carry_out.run_trials(
            request_for("fake", interpreters=interpreters), tmp_path / "run", run, NotingDisplay()
        )
    assert str(caught.value) == (
        "fake has changed since the run was started. Expected: {'fake': '1.0'}. "
        "Received: {'fake': '2.0'}. Start a new run"
    )
    assert caught.value.exit_code == 1
    assert not (tmp_path / "run" / "records").exists()


def test_a_run_is_not_continued_without_a_backend_that_it_had(tmp_path):
    run = write_new_run([accuracy_trial("nowhere")], tmp_path)
    with pytest.raises(SamestepError, match="Received: cannot start /nowhere/python: No such file"):
        carry_out.run_trials(request_for("nowhere"), tmp_path, run, NotingDisplay())


def test_resuming_a_finished_run_starts_no_process(tmp_path):
    trials = plan(workloads=["mlp-512"], backends=["pytorch"], rounds=1)
    run = build_run(trials)
    write_folder(tmp_path, run, [build_record(trial) for trial in trials])
    display = NotingDisplay()
    finished = carry_out.run_trials(request_for(interpreters={}), tmp_path, run, display)
    assert display.notes == [f"planned 0 of {len(trials)}"]
    assert finished.sessions[-1].outcome == "complete"


@pytest.fixture
def written_run(tmp_path: Path) -> tuple[Runner, RunModel, list[Trial]]:
    """Return a run of four trials that all have records."""
    trials = plan(workloads=["mlp-512"], backends=["pytorch"], rounds=3)
    run = build_run(trials)
    write_folder(tmp_path, run, [build_record(trial) for trial in trials])
    return Runner(request_for(), tmp_path, tmp_path, NotingDisplay()), run, trials


def test_a_trial_that_has_its_record_is_not_missing(written_run, tmp_path):
    _, run, _ = written_run
    assert RunFolder(tmp_path).missing(run) == []


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def edit(path: Path) -> None:
    path.write_text(path.read_text().replace('"seed":', '"seed": ', 1).replace("ok", "no", 1))


def swap(path: Path) -> None:
    """Write the record of another trial under the name of this trial."""
    other = next(file for file in path.parent.iterdir() if file != path)
    path.write_bytes(other.read_bytes())


@pytest.mark.parametrize(
    "damage", [truncate, edit, swap, Path.unlink], ids=["torn", "edited", "swapped", "gone"]
)
def test_a_trial_without_an_intact_record_is_missing(written_run, tmp_path, damage):
    _, run, trials = written_run
    damage(record_path(tmp_path, run.trials[2]))
    assert RunFolder(tmp_path).missing(run) == [trials[2]]


def test_a_published_run_is_not_resumed(written_run, tmp_path):
    runner, run, _ = written_run
    write_archive(tmp_path / ARCHIVE, [])
    with pytest.raises(SamestepError, match="was published and can't be resumed"):
        runner.resume(run)


@pytest.mark.parametrize("name", ["records", "logs", "figures", "logs/timing.log", "report.md"])
def test_a_run_with_a_link_is_not_resumed(written_run, tmp_path, name):
    runner, run, _ = written_run
    place, outside = tmp_path / name, tmp_path.with_name(f"{tmp_path.name}-outside")
    place.parent.mkdir(exist_ok=True)
    if place.exists():
        place.rename(outside)
    place.symlink_to(outside)
    with pytest.raises(RecordError, match=f"{name} is a link"):
        runner.resume(run)


def test_a_run_with_links_in_a_compilers_cache_is_resumed(written_run, tmp_path):
    runner, run, _ = written_run
    cache = tmp_path / "caches" / "pytorch"
    cache.mkdir(parents=True)
    (cache / "latest").symlink_to("nowhere")
    runner.resume(run)


def test_a_folder_that_cannot_be_searched_for_links_is_refused(tmp_path):
    with pytest.raises(RecordError, match="gone: No such file"):
        refuse_links(tmp_path / "gone")


def test_a_trial_with_the_record_of_another_run_is_missing(written_run, tmp_path):
    _, run, trials = written_run
    assert RunFolder(tmp_path).missing(run.model_copy(update={"run_id": "another"})) == trials


def test_an_interruption_before_the_plan_leaves_no_run(tmp_path):
    class InterruptedDisplay(NotingDisplay):
        def piloting(self, backend: str, device: str) -> None:
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    assert carry_out.run_trials(request_for("fake"), folder, None, InterruptedDisplay()) is None
    assert run.conclude(None, folder, named=False, as_json=False) == 130
    assert not folder.exists()


CELL = accuracy_trial("fake").cell
FIGURES = {"cell": CELL.label, "status": "ok", "setup_seconds": 1.0, "step_seconds": 0.5,
           "steps_per_block": 2, "steps_per_call": 1, "compile_seconds": 0.5,
           "native_step_seconds": 0.25}  # fmt: skip


def add_to_pilot(outcome: Outcome, pilot: Pilot | None = None) -> Pilot:
    pilot = pilot or Pilot()
    add_outcome(pilot, "fake", [CELL], outcome, 3.0)
    return pilot


def test_a_cell_that_the_pilot_measured_has_figures():
    result = {"status": "ok", "versions": {"fake": "1.0"}, "devices": ["cpu"],
              "cells": [FIGURES], "timings": {"total_seconds": 2.5}}  # fmt: skip
    pilot = add_to_pilot(Outcome(status="ok", reason=None, result=result))
    # the worker took another half a second to end
    assert pilot.figures[CELL].setup_seconds == 1.5
    assert pilot.figures[CELL].steps_per_block == 2
    assert (pilot.misses, pilot.backends["fake"].unavailable) == ({}, None)


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (Outcome(status="unavailable", reason="no torch", result=None), "unavailable",
         "no torch (pilot)"),
        (Outcome(status="killed", reason="ended by SIGSEGV", result=None), "killed",
         "ended by SIGSEGV (pilot)"),
        (Outcome(status="ok", reason=None, result={"cells": [
            {"cell": CELL.label, "status": "unsupported", "reason": "no mode"}]}),
         "unsupported", "no mode (pilot)"),
    ],
    ids=["missing framework", "crash", "one cell"],
)  # fmt: skip
def test_a_cell_that_the_pilot_could_not_measure_is_a_miss(outcome, status, reason):
    assert add_to_pilot(outcome).misses == {CELL: Miss(status=status, reason=reason)}


def test_a_backend_that_fails_on_one_device_stays_available():
    good = Outcome(status="ok", reason=None, result={"versions": {"fake": "1.0"}, "cells": []})
    bad = Outcome(status="killed", reason="ended by SIGSEGV", result=None)
    for outcomes in ((good, bad), (bad, good)):
        pilot = Pilot()
        for outcome in outcomes:
            add_to_pilot(outcome, pilot)
        assert pilot.backends["fake"].versions == {"fake": "1.0"}
        assert pilot.backends["fake"].unavailable is None


def test_records_are_read_as_they_were_written(story):
    for trial in story.finished.trials:
        assert read_record(record_path(story.folder, trial)).trial == trial
