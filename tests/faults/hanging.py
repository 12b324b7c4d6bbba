"""Row 4: a worker hangs, in each phase and in several ways; it is ended on time, with all of it."""

import random
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import psutil

from bench.spawn import DEADLINES, Launch, Outcome, Worker, run_in_turns
from tests.fakes.scripts import script
from tests.faults.matrix import Row, Try, so_many

DEADLINE_SECONDS = 0.3
# after its deadline
MOST_SECONDS = 5.0
FORK = "child = os.fork()\nif child == 0: time.sleep(600)\nprint(child, flush=True)"
ENDLESS = """while True:
    os.write(pipe, b'{"event": "note"}\\n')
    time.sleep(0.02)"""
WAYS = {
    "sleeps": "",
    "sends events without end": ENDLESS,
    "is stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "ignores SIGTERM": "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "left a process that keeps the pipe": FORK,
}
BODY = """
print(os.getpid(), flush=True)
os.write(pipe, b'{{"event": "phase", "phase": "{phase}"}}\\n')
{way}
time.sleep(600)
"""
GOOD = """
os.write(pipe, b'{"event": "result", "result": {"status": "ok", "reason": null}}\\n')
"""


def hanging(share: float, folder: Path) -> Iterator[Try]:
    ways = list(product(DEADLINES, WAYS))
    random.Random(4).shuffle(ways)
    for number, (phase, way) in enumerate(ways[: so_many(len(ways), share)]):
        yield one_try(folder, number, phase, way)


def one_try(folder: Path, number: int, phase: str, way: str) -> Try:
    """One that hangs, then one that does not, as the next of a run would come."""
    hangs = script(folder, f"hangs-{number}", BODY.format(phase=phase, way=WAYS[way]))
    log = folder / f"{number}.log"
    started = time.monotonic()
    outcome = worked(hangs, folder, log)
    late = time.monotonic() - started - DEADLINE_SECONDS
    after = worked(script(folder, f"good-{number}", GOOD), folder, folder / f"{number}-next.log")
    wrong = None
    if outcome.status != "timed_out" or f"in phase '{phase}'" not in (outcome.reason or ""):
        wrong = f"{phase}, {way}: {outcome.status}, {outcome.reason}"
    elif late > MOST_SECONDS:
        wrong = f"{phase}, {way}: ended {late:.1f} s after its deadline"
    elif after.status != "ok":
        wrong = f"{phase}, {way}: the next worker is {after.status}"
    return Try(wrong=wrong, orphans=sum(map(lives, log.read_text().split())), seconds=late)


def worked(interpreter: str, folder: Path, log: Path) -> Outcome:
    deadlines = dict.fromkeys(DEADLINES, DEADLINE_SECONDS)
    launch = Launch(interpreter=interpreter, packages=folder, deadlines=deadlines)
    (outcome,) = run_in_turns([Worker({}, launch, log, lambda event: None)], random.Random())
    return outcome


def lives(process: str) -> bool:
    try:
        return psutil.Process(int(process)).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


ROW = Row(number=4, fault="worker hangs, in every phase", tries=hanging)
