"""Row 10: a run makes no network call: it would end whoever makes one, and there is no network.

The command, and the real worker with a framework of ours, run where an audit hook ends the process
at its first call to a socket that is not local to the machine's files. Where the system lets us
they also have a network namespace of their own, with nothing in it.
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
from tests.faults.runs import Place, ended

FAKES = Path(__file__).parent.parent / "fakes"
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
CAUGHT = 99
# for `sitecustomize`, which Python imports first of all
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


def offline(share: float, folder: Path) -> Iterator[Try]:
    place, calls = Place.make(folder), folder / "calls"
    (folder / "hook").mkdir()
    hook = HOOK.format(calls=CALLS, file=str(calls), caught=CAUGHT)
    (folder / "hook" / "sitecustomize.py").write_text(hook, encoding="utf-8")
    main = cli.main
    with patch.object(cli, "main", lambda: cut_off(hook, main)):
        code = ended(place.start(folder / "run"))
    yield Try(wrong=told(calls) or (None if code == 0 else place.output(folder / "run")[-300:]))
    for trial in TRIALS:
        code = ended(child(lambda trial=trial: cut_off(hook, lambda: work(folder, trial))))
        yield Try(wrong=told(calls) or (None if code == 0 else f"{trial.kind}: exit code {code}"))
    yield Try(wrong=uncaught(folder, hook, calls))


def told(calls: Path) -> str | None:
    return calls.read_text(encoding="utf-8") if calls.exists() else None


def child(does: Callable[[], None]) -> int:
    """A process of its own that does this; 0 where nothing was raised."""
    process = os.fork()
    if process:
        return process
    try:
        does()
        os._exit(0)
    finally:
        os._exit(70)


def cut_off(hook: str, does: Callable[[], None]) -> None:
    """From here on this process may call nobody, and reaches nobody."""
    leave_network()
    exec(hook, {})
    does()


def leave_network() -> None:
    """Into a namespace without a network; where that is forbidden the hook alone is left."""
    user, group = os.getuid(), os.getgid()
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is None:
        return
    if unshare(CLONE_NEWNET) != 0 and unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")


def work(folder: Path, trial: Trial) -> None:
    """The trial in the real worker; raises where it is not good."""
    initial = mnist.initial_parameters(MLP_512, trial.seed)
    job = {
        "backend": "fake", "adapter": "fakes.adapter", "trial": trial, "dump": None,
        "digests": digests(trial.seed, mnist.load(), initial),
    }  # fmt: skip
    outcome = worked(folder, job, FAKES)
    assert outcome == ("ok", None), outcome


def worked(folder: Path, job: dict[str, object], package: Path) -> tuple[str, str | None]:
    interpreter = shell_script(
        folder / "hooked", f'PYTHONPATH="{folder}/hook:$PYTHONPATH" exec {sys.executable} "$@"'
    )
    with worker_packages(package) as packages:
        launch = Launch(interpreter=interpreter, packages=packages)
        outcome = run_worker(job, launch, folder / "worker.log", lambda event: None)
    return outcome.status, outcome.reason


def uncaught(folder: Path, hook: str, calls: Path) -> str | None:
    """What this row would not see: a call of ours, or one of a worker; None where it sees both."""
    code = ended(child(lambda: cut_off(hook, call)))
    adapter = folder / "calling.py"
    adapter.write_text(CALLING, encoding="utf-8")
    job: dict[str, object] = {"backend": "calling", "adapter": "calling", "cells": []}
    _, reason = worked(folder, job, adapter)
    seen = (told(calls) or "").splitlines()
    calls.unlink(missing_ok=True)
    caught = code == CAUGHT and (reason or "").startswith(f"exit status {CAUGHT} ")
    return None if caught and len(seen) == 2 else f"not seen: {code}, {reason}, {seen}"


def call() -> None:
    socket.create_connection(("127.0.0.1", 9))


ROW = Row(number=10, fault="no network", tries=offline)
