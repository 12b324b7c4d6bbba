"""Row 17: if a worker prints a gigabyte, its log stays small and its result arrives."""

import random
import resource
from collections.abc import Iterator
from pathlib import Path

from bench.run.log import LARGEST_LOG_BYTES
from bench.run.process import Launch, Worker, run_in_turns
from tests.fakes.scripts import write_script
from tests.faults.matrix import Row, Try

MEBIBYTES = 1024
MOST_MEMORY_MEBIBYTES = 50
BODY = """
print("the beginning", flush=True)
line = b"x" * (2 ** 20 - 1) + b"\\n"
for _ in range({mebibytes}):
    os.write({descriptor}, line)
print("the end", flush=True)
os.write(pipe, b'{{"event": "result", "result": {{"status": "ok", "reason": null}}}}\\n')
"""


def floods(share: float, folder: Path) -> Iterator[Try]:
    for descriptor in (1, 2):
        yield one_try(folder, descriptor, max(64, round(MEBIBYTES * share)))


def one_try(folder: Path, descriptor: int, mebibytes: int) -> Try:
    log = folder / f"{descriptor}.log"
    body = BODY.format(mebibytes=mebibytes, descriptor=descriptor)
    launch = Launch(interpreter=write_script(folder, f"floods-{descriptor}", body), packages=folder)
    before = memory_mebibytes()
    (outcome,) = run_in_turns(
        [Worker({"cells": []}, launch, log, lambda event: None)], random.Random()
    )
    grown = memory_mebibytes() - before
    size = log.stat().st_size
    wrong = None
    if outcome.status != "ok":
        wrong = f"{outcome.status}: {outcome.reason}"
    elif grown > MOST_MEMORY_MEBIBYTES:
        wrong = f"the parent grew by {grown} MiB"
    elif size > LARGEST_LOG_BYTES:
        wrong = f"the log has {size} bytes"
    elif not log.read_bytes().startswith(b"the beginning\n"):
        wrong = "the log has lost its beginning"
    return Try(wrong=wrong)


def memory_mebibytes() -> int:
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


ROW = Row(number=17, fault="a gigabyte on a worker's output", tries=floods)
