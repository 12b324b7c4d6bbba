"""A worker that crashes, hangs or sends garbage is an outcome, and leaves no process behind.

Instead of an interpreter these tests start a small script that takes the place of a worker.
"""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import bench
from bench.errors import WriteError
from bench.run import events, process
from bench.run.outcome import Outcome
from bench.run.process import Launch, Worker, run_in_turns, worker_packages
from bench.spec import AccuracyPlan, Cell, Execution, Trial
from tests.fakes.workers import run_worker

FIGURES = {
    "train_loss": 0.5, "train_accuracy": 0.9, "test_loss": 0.4, "test_accuracy": 1, "seconds": 2.0,
}  # fmt: skip
PRELUDE = f"""#!{sys.executable} -ISB
import json, os, signal, sys, time
job = json.load(sys.stdin)
pipe = job["result_descriptor"]
FIGURES = {FIGURES}
def send(**event):
    os.write(pipe, json.dumps(event).encode() + b"\\n")
print("process", os.getpid(), flush=True)
"""
GOOD = "send(event='result', result=dict(status='ok', reason=None, answer=42))\n"
FORK = """
child = os.fork()
if child == 0:
    time.sleep(600)
print("process", child, flush=True)
"""
THREE_EPOCHS = Trial(
    kind="accuracy",
    cell=Cell(
        workload="mlp-512", backend="fake", execution=Execution(device="cpu", batch_size=128)
    ),
    seed=0,
    accuracy=AccuracyPlan(epochs=3),
)
SOON = {**events.DEADLINES, "spawn": 5.0, "build": 0.15, "accuracy": 0.2}


def ignore(event: dict[str, Any]) -> None:
    pass


Work = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Assert that all processes of the workers and our descriptors are gone after each test."""
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.02)
    own = psutil.Process()
    descriptors = own.num_fds()
    yield
    assert own.children(recursive=True) == []
    assert own.num_fds() == descriptors
    for log in tmp_path.glob("*.log"):
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("process "):
                assert ends_soon(int(line.split()[1])), line


def ends_soon(pid: int) -> bool:
    """Return whether a killed process ends within a second; a zombie counts as ended."""
    for _ in range(100):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def work(tmp_path: Path) -> Work:
    def run(script: str, listen: process.Listener = ignore, **job: Any) -> Outcome:
        interpreter = tmp_path / "python"
        interpreter.write_text(PRELUDE + script, encoding="utf-8")
        interpreter.chmod(0o755)
        launch = Launch(
            interpreter=str(interpreter),
            packages=tmp_path,
            variables={"KERAS_BACKEND": "fake"},
            deadlines=SOON,
        )
        return run_worker(job, launch, tmp_path / "worker.log", listen)

    return run


@pytest.mark.parametrize(
    ("script", "status", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "killed", "ended by SIGSEGV; see worker.log"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed", "ended by SIGKILL; see worker.log"),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGRTMIN + 1)", "killed",
            f"ended by signal {signal.SIGRTMIN + 1}; see worker.log",
        ),
        ("sys.exit(3)", "failed", "exit status 3 without a result; see worker.log"),
        ("pass", "failed", "exit status 0 without a result; see worker.log"),
        ("os.write(pipe, b'{\"event\": \"res')", "failed",
         "exit status 0 without a result; see worker.log"),
        ("raise RuntimeError('oops')", "failed", "exit status 1 without a result; see worker.log"),
        ("os.write(pipe, b'Segmentation\\n')", "failed",
         "the worker's result is not JSON. Received: b'Segmentation'"),
        ("os.write(pipe, b'\\xff\\n')", "failed",
         "the worker's result is not JSON. Received: b'\\xff'"),
        ("os.write(pipe, b'[' * 60000 + b'\\n')", "failed",
         f"the worker's result is not JSON. Received: {b'[' * 60!r}"),
        ("os.write(pipe, b'[1]\\n')", "failed",
         "the worker's result is not an event. Received: b'[1]'"),
        ("send(odd=1)", "failed",
         "the worker's result is not an event. Received: b'{\"odd\": 1}'"),
        ("send(event=[])", "failed",
         "the worker's result is not an event. Received: b'{\"event\": []}'"),
        ("send(event='phase')", "failed",
         "the worker's result is not an event. Received: b'{\"event\": \"phase\"}'"),
        ("send(event='epoch', epoch=1)", "failed",
         "the worker's result is not an event. Received: b'{\"event\": \"epoch\", \"epoch\": 1}'"),
        ("send(event='epoch', epoch='1', **FIGURES)", "failed",
         "the worker's result is not an event. "
         "Received: b'{\"event\": \"epoch\", \"epoch\": \"1\", \"train_loss\": 0.5, \"train_a'"),
        ("send(event='result')", "failed", "the worker's result has no status. Received: 'None'"),
        ("send(event='result', result=dict(status=7))", "failed",
         "the worker's result has no status. Received: \"{'status': 7}\""),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN); send(event='phase', phase='build');"
         "time.sleep(600)", "timed_out",
         "no progress in phase 'build'. Expected: within 0.15 s"),
    ],
    ids=[
        "crash", "out of memory", "unnamed signal", "exit", "no result", "half a result",
        "exception", "not JSON", "not text", "deep", "not an object", "no event",
        "unnamed event", "no phase", "half an epoch", "epoch in letters",
        "empty result", "no status", "hang, deaf to SIGTERM",
    ],
)  # fmt: skip
def test_a_worker_that_fails_is_an_outcome(work, script, status, reason):
    assert work(script) == Outcome(status=status, reason=reason, result=None)


def test_half_a_character_in_a_result_is_a_question_mark(work):
    """Python has half a character for a byte that is not UTF-8; no record could hold it."""
    script = r"send(event='result', result=dict(status='failed', reason='no file a\udcff.bin'))"
    assert work(script).reason == "no file a?.bin"


def test_a_worker_that_sends_its_result_is_done(work):
    outcome = work(GOOD)
    assert (outcome.status, outcome.reason) == ("ok", None)
    assert outcome.result["answer"] == 42


def test_a_large_result_arrives_complete(work):
    outcome = work("send(event='result', result=dict(status='ok', much='x' * 300_000))")
    assert len(outcome.result["much"]) == 300_000


def test_a_worker_that_sends_too_much_is_ended(work, monkeypatch):
    monkeypatch.setattr(events, "LARGEST_RESULT_BYTES", 1 << 17)
    outcome = work("while True: os.write(pipe, b'x' * 4096)")
    assert outcome.status == "failed"
    assert outcome.reason == "the worker sent more than a result can hold"


def test_a_worker_that_closes_its_pipe_and_goes_on_is_ended(work, monkeypatch):
    monkeypatch.setattr(process, "EXIT_GRACE_SECONDS", 0.05)
    outcome = work("os.close(pipe); time.sleep(600)")
    assert outcome == Outcome(status="failed", reason="closed its pipe and went on", result=None)


def test_a_worker_that_hangs_after_its_result_is_ended(work):
    assert work(GOOD + "time.sleep(600)").status == "ok"


def test_a_process_that_a_worker_started_ends_with_it(work):
    assert work(FORK + GOOD).status == "ok"


def test_a_crash_is_an_outcome_although_a_child_keeps_the_pipe_open(work):
    outcome = work(FORK + "send(event='phase', phase='build'); os.kill(os.getpid(), 11)")
    assert (outcome.status, outcome.reason) == ("killed", "ended by SIGSEGV; see worker.log")


def test_events_are_passed_on_in_order_and_extend_the_deadline(work):
    received = []
    script = "send(event='phase', phase='accuracy')\n" + "".join(
        f"time.sleep(0.06); send(event='epoch', epoch={epoch}, **FIGURES)\n" for epoch in range(4)
    )
    # the epochs together take longer than the phase may be silent
    assert work(script + GOOD, received.append).status == "ok"
    assert received == [
        {"event": "phase", "phase": "accuracy"},
        *({"event": "epoch", "epoch": epoch, **FIGURES} for epoch in range(4)),
    ]


@pytest.mark.parametrize(
    ("script", "job", "reason"),
    [
        ("send(event='phase', phase='build')\nwhile True: send(event='note'); time.sleep(0.01)",
         {}, "no progress in phase 'build'. Expected: within 0.15 s"),
        ("while True: send(event='phase', phase='build'); time.sleep(0.01)",
         {}, "no end in phase 'build'. Expected: all within 0.5 s"),
        ("while True: send(event='phase', phase='build'); time.sleep(0.01)",
         {"cells": [{}, {}]}, "no end in phase 'build'. Expected: all within 1 s"),
        ("send(event='phase', phase='accuracy')\n"
         "while True: send(event='epoch', epoch=1, **FIGURES); time.sleep(0.01)",
         {"trial": THREE_EPOCHS},
         "no end in phase 'accuracy'. Expected: all within 1.5 s"),
    ],
    ids=["events in a phase", "phases", "phases of two cells", "epochs"],
)  # fmt: skip
def test_a_worker_that_sends_events_without_end_is_ended(work, monkeypatch, script, job, reason):
    monkeypatch.setitem(globals(), "SOON", {"spawn": 0.15, "build": 0.15, "accuracy": 0.2})
    outcome = work(script, **job)
    assert (outcome.status, outcome.reason) == ("timed_out", reason)


def test_time_in_which_the_parent_was_stopped_does_not_count(monkeypatch):
    read_end, write_end = os.pipe()
    reader = events.Events(read_end, None, {"spawn": 60}, phase_sets=1, look=lambda: None)
    hours = itertools.count(0, 3600)
    monkeypatch.setattr(process.time, "monotonic", lambda: next(hours))
    for _ in range(3):
        os.write(write_end, b'{"event": "turn"}\n')
        assert reader.next_event() == {"event": "turn"}
    os.close(read_end)
    os.close(write_end)


def test_a_phase_without_a_deadline_has_the_deadline_of_the_start(work, monkeypatch):
    monkeypatch.setattr(events, "DEADLINES", {"spawn": 0.1})
    outcome = work("send(event='phase', phase='yoga'); time.sleep(600)")
    assert outcome.status == "timed_out"
    assert outcome.reason == "no progress in phase 'yoga'. Expected: within 0.1 s"


def test_waiting_takes_no_processor_time_and_no_longer_than_the_deadline(work):
    before, started = time.process_time(), time.monotonic()
    work("send(event='phase', phase='build'); time.sleep(600)")
    assert time.process_time() - before < 0.08
    # the phase has its own deadline, not the rest of the deadline of the phase before
    assert time.monotonic() - started < 3


def test_an_error_of_the_listener_is_raised(work):
    def listen(event: dict[str, Any]) -> None:
        raise BrokenPipeError("the terminal is gone")

    with pytest.raises(BrokenPipeError):
        work("send(event='phase', phase='build'); time.sleep(600)", listen)


def interrupt(event: dict[str, Any]) -> None:
    raise KeyboardInterrupt


def test_an_interruption_ends_the_worker_first(work):
    with pytest.raises(KeyboardInterrupt):
        work("send(event='phase', phase='build'); time.sleep(600)", interrupt)


def test_an_interruption_while_a_worker_starts_ends_it_too(work, monkeypatch):
    start = process.start

    def start_and_interrupt(*arguments: Any) -> Any:
        process = start(*arguments)
        signal.raise_signal(signal.SIGINT)
        return process

    monkeypatch.setattr(process, "start", start_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        work("time.sleep(600)")


def test_an_interruption_while_a_worker_may_leave_ends_it_too(work, monkeypatch):
    monkeypatch.setattr(process, "LEAVE_SECONDS", 5.0)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(KeyboardInterrupt):
            work(f"{GOOD}time.sleep(600)")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    ("interpreter", "reason"),
    [
        ("/nowhere/python", "cannot start /nowhere/python: No such file or directory"),
        ("/", "cannot start /: Permission denied"),
    ],
)
def test_an_interpreter_that_does_not_start_is_unavailable(tmp_path, interpreter, reason):
    launch = Launch(interpreter=interpreter, packages=tmp_path)
    outcome = run_worker({}, launch, tmp_path / "worker.log", ignore)
    assert outcome == Outcome(status="unavailable", reason=reason, result=None)


def test_a_log_that_can_not_be_written_is_a_write_error(tmp_path):
    (tmp_path / "logs").write_text("a file, not a folder", encoding="utf-8")
    launch = Launch(interpreter=sys.executable, packages=tmp_path)
    with pytest.raises(WriteError, match=r"cannot write .*worker\.log"):
        run_worker({}, launch, tmp_path / "logs" / "worker.log", ignore)


def test_a_worker_gets_its_job_and_nothing_of_the_parents_python(work, tmp_path, monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "/the/parents")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    script = """
seen = dict(status="ok", job=job, variables=dict(os.environ), folder=os.getcwd(),
            arguments=sys.argv[1:], group=os.getpgid(0), process=os.getpid())
send(event="result", result=seen)
"""
    before = time.monotonic()
    seen = work(script, backend="fake").result
    assert seen["job"]["backend"] == "fake"
    assert before <= seen["job"]["spawned_monotonic"] <= time.monotonic()
    assert seen["arguments"] == ["-P", "-m", "bench.worker"]
    assert seen["folder"] == str(tmp_path)
    assert seen["variables"]["PYTHONPATH"] == str(tmp_path)
    assert not {"PYTHONHOME", "VIRTUAL_ENV"} & seen["variables"].keys()
    assert seen["variables"]["OMP_NUM_THREADS"] == "3"
    assert seen["variables"]["KERAS_BACKEND"] == "fake"
    # its own process group: Ctrl-C in the terminal does not reach it
    assert seen["group"] == seen["process"] != os.getpgid(0)


def test_what_a_worker_prints_goes_to_its_log(work, tmp_path):
    work("print('to stdout', flush=True); os.write(2, b'to stderr\\n')\n" + GOOD)
    assert (tmp_path / "worker.log").read_text().splitlines()[1:] == ["to stdout", "to stderr"]


PARENT = """
import sys
from pathlib import Path
from bench.run.process import Launch, worker_packages
from tests.fakes.workers import run_worker
fakes, log = map(Path, sys.argv[1:])
with worker_packages(fakes) as packages:
    job = {"backend": "fake-pausing", "adapter": "fakes.adapter", "cells": []}
    launch = Launch(interpreter=sys.executable, packages=packages)
    run_worker(job, launch, log, lambda event: None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_worker_in_native_code_ends_with_its_killed_parent(tmp_path):
    log = tmp_path / "worker.log"
    fakes = Path(__file__).parent.parent.parent / "fakes"
    with subprocess.Popen([sys.executable, "-c", PARENT, str(fakes), str(log)]) as parent:
        wait_until(lambda: log.exists() and "pausing" in log.read_text(encoding="utf-8"))
        (worker,) = psutil.Process(parent.pid).children()
        parent.kill()
    assert ends_soon(worker.pid)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until `holds()` is true, for half a minute at most."""
    due = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < due, "it took too long"
        time.sleep(0.01)


def test_a_workers_folder_holds_only_our_packages(tmp_path):
    (tmp_path / "fakes").mkdir()
    with worker_packages(tmp_path / "fakes") as packages:
        links = {path.name: path.resolve() for path in packages.iterdir()}
    root = Path(bench.__file__).resolve().parent.parent
    assert links == {
        "bench": root / "bench",
        "backends": root / "backends",
        "fakes": tmp_path / "fakes",
    }
    assert not packages.exists()
    assert (root / "bench").is_dir()


def test_every_phase_has_a_deadline_that_json_can_hold():
    assert all(seconds > 0 for seconds in events.DEADLINES.values())
    assert json.dumps(dict(events.DEADLINES))


TURNS = """
turns = job["turn_descriptor"]
def turn(name):
    send(event="turn")
    assert os.read(turns, 1)
    started = time.monotonic()
    time.sleep(0.004)
    spans.append([name, started, time.monotonic()])
spans = []
send(event="phase", phase="step")
"""
SPANS = "send(event='result', result=dict(status='ok', reason=None, spans=spans))\n"


@pytest.fixture
def workers(tmp_path: Path) -> Callable[..., list[Worker]]:
    def make(*scripts: str) -> list[Worker]:
        made = []
        for index, text in enumerate(scripts):
            interpreter = tmp_path / f"python{index}"
            interpreter.write_text(PRELUDE + TURNS + text, encoding="utf-8")
            interpreter.chmod(0o755)
            launch = Launch(interpreter=str(interpreter), packages=tmp_path, deadlines=SOON)
            made.append(Worker({"cells": []}, launch, tmp_path / f"worker{index}.log", ignore))
        return made

    return make


def test_workers_take_turns_and_one_is_active_at_a_time(workers):
    three = [f"for i in range(6): turn({name!r})\n{SPANS}" for name in "abc"]
    outcomes = run_in_turns(workers(*three), random.Random(1))
    spans = sorted((s for o in outcomes for s in o.result["spans"]), key=lambda span: span[1])
    names = "".join(name for name, _, _ in spans)
    # in each cycle every worker has one turn, and the orders of the cycles differ
    cycles = [names[at : at + 3] for at in range(0, 18, 3)]
    assert all(sorted(cycle) == ["a", "b", "c"] for cycle in cycles)
    assert len(set(cycles)) > 1
    assert all(end <= start for (_, _, end), (_, start, _) in itertools.pairwise(spans))


def test_a_worker_that_ends_early_leaves_the_turns_to_the_others(workers):
    scripts = (f"turn('a')\n{SPANS}", "turn('b'); os.kill(os.getpid(), signal.SIGKILL)",
               f"turn('c'); turn('c'); turn('c')\n{SPANS}", "raise SystemExit(3)")  # fmt: skip
    short, killed, long, failed = run_in_turns(workers(*scripts), random.Random(1))
    assert (len(short.result["spans"]), len(long.result["spans"])) == (1, 3)
    assert (killed.status, failed.status) == ("killed", "failed")


def test_a_worker_that_dies_while_it_waits_is_an_outcome(workers):
    dying = "send(event='turn'); os.kill(os.getpid(), signal.SIGKILL)"
    dead, good = run_in_turns(workers(dying, f"turn('b')\n{SPANS}"), random.Random(1))
    assert (dead.status, good.status) == ("killed", "ok")


def test_waiting_for_a_turn_has_no_deadline(workers):
    # the second needs more time before its turn than the first may be silent in its phase
    patient = f"send(event='phase', phase='build'); turn('a')\n{SPANS}"
    slow = f"time.sleep(0.25); turn('b')\n{SPANS}"
    outcomes = run_in_turns(workers(patient, slow), random.Random(1))
    assert [outcome.status for outcome in outcomes] == ["ok", "ok"]
    hanging = "send(event='phase', phase='build'); turn('a'); time.sleep(600)"
    (outcome,) = run_in_turns(workers(hanging), random.Random(1))
    assert outcome.status == "timed_out"


def test_an_interruption_ends_all_workers(workers, monkeypatch):
    def interrupt_turn(self: Worker) -> None:
        raise KeyboardInterrupt

    started = workers("turn('a')", "turn('b')")
    monkeypatch.setattr(process.Worker, "_give_turn", interrupt_turn)
    # the fixture tests that no process is left
    monkeypatch.setattr(process, "LEAVE_SECONDS", 5.0)
    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_in_turns(started, random.Random(1))
    # all at once, without time to leave by themselves
    assert time.monotonic() - before < 2.0
