"""Row 10: a run makes no network call: a call would end the process, and there is no network.

An audit hook ends the command, or the real worker with a fake framework, at its first call to a
socket that is not a Unix socket. If the system allows it, they also have an empty network
namespace.
"""

import ctypes
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

from bench import cli, mnist
from bench.parity.rungs import digests
from bench.run.process import Launch, worker_packages
from bench.spec import AccuracyPlan, Cell, Execution, ParityPlan, TimingPlan, Trial
from bench.workloads import MLP_512
from tests.fakes.workers import run_worker
from tests.faults.matrix import Row, Try
from tests.faults.real_worker import shell_script
from tests.faults.runs import Place, wait_for_end

FAKES = Path(__file__).parent.parent / "fakes"
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
CAUGHT = 99
# the source of `sitecustomize`, which Python imports first
HOOK = """
import os, socket, sys
def hook(event, arguments):
    if event.startswith("socket.") and event.partition(".")[2] in {calls!r}:
        first = arguments[0]
        if not isinstance(first, socket.socket) or first.family != socket.AF_UNIX:
            with open({file!r}, "a") as file:
                file.write(f"{{event}} {{arguments[1:]}}\\n")
            os._exit({caught})
sys.addaudithook(hook)
"""
CALLS = ("connect", "bind", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr")
CALLING = "import socket\ndef open_backend(name):\n    socket.create_connection(('127.0.0.1', 9))\n"
CELL = Cell(workload="mlp-512", backend="fake", execution=Execution(device="cpu", batch_size=16))
TRIALS = (
    Trial(kind="parity", cell=CELL, seed=3,
          parity=ParityPlan(precision="float32", steps=2, twin_steps=2)),
    Trial(kind="accuracy", cell=CELL, seed=3, accuracy=AccuracyPlan(epochs=1, train_images=64)),
    Trial(kind="timing", cell=CELL, seed=3, timing=TimingPlan(
        window_blocks=5, blocks=3, steps_per_block=8, native_steps=8, native_slices=2,
        tutorial_steps=2, latency_steps=4)),
)  # fmt: skip


def network_calls(share: float, folder: Path) -> Iterator[Try]:
    place, calls = Place.make(folder), folder / "calls"
    (folder / "hook").mkdir()
    hook = HOOK.format(calls=CALLS, file=str(calls), caught=CAUGHT)
    (folder / "hook" / "sitecustomize.py").write_text(hook, encoding="utf-8")
    main = cli.main
    with patch.object(cli, "main", lambda: run_offline(hook, main)):
        code = wait_for_end(place.start(folder / "run"))
    message = None if code == 0 else place.output(folder / "run")[-300:]
    yield Try(wrong=read_calls(calls) or message)
    for trial in TRIALS:
        code = wait_for_end(
            fork(lambda trial=trial: run_offline(hook, lambda: run_trial(folder, trial)))
        )
        message = None if code == 0 else f"{trial.kind}: exit code {code}"
        yield Try(wrong=read_calls(calls) or message)
    yield Try(wrong=missed_calls(folder, hook, calls))


def read_calls(calls: Path) -> str | None:
    return calls.read_text(encoding="utf-8") if calls.exists() else None


def fork(function: Callable[[], None]) -> int:
    """Call the function in a new process; its exit code is 0 if nothing was raised."""
    process = os.fork()
    if process:
        return process
    try:
        function()
        os._exit(0)
    finally:
        os._exit(70)


def run_offline(hook: str, function: Callable[[], None]) -> None:
    """Leave the network, install the hook, and call the function."""
    leave_network()
    exec(hook, {})
    function()


def leave_network() -> None:
    """Enter a namespace without a network; if that is forbidden, only the hook is left."""
    user, group = os.getuid(), os.getgid()
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is None:
        return
    if unshare(CLONE_NEWNET) != 0 and unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def run_trial(folder: Path, trial: Trial) -> None:
    """Run the trial in the real worker; raise an error if it is not ok."""
    initial = mnist.initial_parameters(MLP_512, trial.seed)
    job = {
        "backend": "fake", "adapter": "fakes.adapter", "trial": trial, "dump": None,
        "digests": digests(trial.seed, mnist.load(), initial),
    }  # fmt: skip
    outcome = run_job(folder, job, FAKES)
    assert outcome == ("ok", None), outcome


def run_job(folder: Path, job: dict[str, object], package: Path) -> tuple[str, str | None]:
    interpreter = shell_script(
        folder / "hooked", f'PYTHONPATH="{folder}/hook:$PYTHONPATH" exec {sys.executable} "$@"'
    )
    with worker_packages(package) as packages:
        launch = Launch(interpreter=interpreter, packages=packages)
        outcome = run_worker(job, launch, folder / "worker.log", lambda event: None)
    return outcome.status, outcome.reason


def missed_calls(folder: Path, hook: str, calls: Path) -> str | None:
    """Return an error if the hook misses a call of the command or of a worker; else None."""
    code = wait_for_end(fork(lambda: run_offline(hook, call)))
    adapter = folder / "calling.py"
    adapter.write_text(CALLING, encoding="utf-8")
    job: dict[str, object] = {"backend": "calling", "adapter": "calling", "cells": []}
    _, reason = run_job(folder, job, adapter)
    noted = (read_calls(calls) or "").splitlines()
    calls.unlink(missing_ok=True)
    caught = code == CAUGHT and (reason or "").startswith(f"exit status {CAUGHT} ")
    return None if caught and len(noted) == 2 else f"not seen: {code}, {reason}, {noted}"


def call() -> None:
    socket.create_connection(("127.0.0.1", 9))


ROW = Row(number=10, fault="no network", tries=network_calls)
