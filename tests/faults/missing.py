"""Row 11: a framework is missing or broken, or its device is; the reason is told, others go on.

The real worker imports the real adapter, which finds a `torch` of ours. A GPU is one that a driver
of ours tells of, until it is lost.
"""

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias
from unittest.mock import patch

import pynvml

from bench.record import Record
from bench.record.run import read_run
from bench.record.stored import read_records
from tests.faults.matrix import Row, Try, so_many
from tests.faults.real_worker import real_worker, shell_script
from tests.faults.runs import Place, damaged, ended, forked, unfinished, workers
from tests.faults.stand_in import order

PLAN = ("run", "--profile=smoke", "--workload=mlp-512", "--rounds=2", "--seeds=0")
LOST = 12
IMPORTING = "pytorch does not import: "
# what `torch` does when it is imported, the status and how the reason begins
BROKEN = (
    ("raise ModuleNotFoundError('no torch')", "unavailable", f"{IMPORTING}ModuleNotFoundError: no"),
    ("raise ImportError('libcudart.so.13')", "unavailable", f"{IMPORTING}ImportError: libcudart"),
    ("raise OSError('libcudnn.so.9')", "unavailable", f"{IMPORTING}OSError: libcudnn.so.9"),
    ("raise RuntimeError('driver too old')", "unavailable", f"{IMPORTING}RuntimeError: driver"),
    ("import sys; sys.nothing", "unavailable", f"{IMPORTING}AttributeError: module 'sys'"),
    ("raise SystemExit('no licence')", "unavailable", f"{IMPORTING}SystemExit: no licence"),
    ("def", "unavailable", f"{IMPORTING}SyntaxError: invalid syntax"),
    ("", "unavailable", f"{IMPORTING}ModuleNotFoundError: No module named 'torch.nn'"),
    ("import os; os.abort()", "killed", "ended by SIGABRT; see "),
)
# what NVML is asked here
ASKS = re.compile(r"nvml(Init|Shutdown|SystemGet\w+|DeviceGet\w+)$")
Promised: TypeAlias = Mapping[str, tuple[str, str]] | Callable[[Record], tuple[str, str]]
GONE = "result.update(status='unavailable', reason='no such device in pytorch')"


def missing(share: float, folder: Path) -> Iterator[Try]:
    place, draw = Place.make(folder), random.Random(11)
    kinds = [(f"import {number}", *kind) for number, kind in enumerate(interpreters(place))]
    draw.shuffle(kinds)
    for name, interpreter, status, reason in kinds[: so_many(len(kinds), share)]:
        yield one_backend(place, name, interpreter, status, reason)
    yield nothing_measured(place)
    yield no_gpu(place)
    for number in range(so_many(LOST, share)):
        yield lost_gpu(place, place.root / f"lost-{number}", draw.randrange(20, 150))
    yield device_gone(place)


def interpreters(place: Place) -> Iterator[tuple[str, str, str]]:
    """Those of `pytorch` that do not work, each with the status and the reason's beginning."""
    for number, (source, status, reason) in enumerate(BROKEN):
        yield real_worker(place.root, f"broken-{number}", "torch", source), status, reason
    yield unstartable(place), "unavailable", f"cannot start {place.root}/unstartable: No such file"
    yield shell_script(place.root / "no-python", "exit 3"), "failed", "exit status 3 without a resu"


def unstartable(place: Place) -> str:
    """A script of an interpreter that is gone, as an environment that was moved has them."""
    path = place.root / "unstartable"
    path.write_text("#!/nowhere/python\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def one_backend(place: Place, name: str, interpreter: str, status: str, reason: str) -> Try:
    """A run of a backend that works, and of one that does not and was asked for by name."""
    folder = place.root / name.replace(" ", "-")
    code = run(place, folder, interpreter, "--backend=keras-tensorflow,pytorch")
    return judged(
        place, folder, code, 1, {"keras-tensorflow": ("ok", ""), "pytorch": (status, reason)}
    )


def nothing_measured(place: Place) -> Try:
    """Of the default set, asked for by nobody; where none of it works nothing was measured."""
    folder, interpreter = place.root / "nothing", unstartable(place)
    code = run(place, folder, interpreter, f"--python=keras-tensorflow={interpreter}")
    promised = ("unavailable", f"cannot start {interpreter}")
    return judged(place, folder, code, 1, dict.fromkeys(("keras-tensorflow", "pytorch"), promised))


def no_gpu(place: Place) -> Try:
    with patch.object(pynvml, "nvmlInit", lost):
        code = run(place, place.root / "no-gpu", place.interpreter, "--device=cuda")
    told = place.output(place.root / "no-gpu")
    right = code == 2 and "no such device on this machine. Expected: one of cpu" in told
    return Try(wrong=None if right else f"exit code {code}: {told[-200:]}")


def lost_gpu(place: Place, folder: Path, answers: int) -> Try:
    """The driver answers so often; the workers go on all the same."""
    with driver(answers):
        code = run(place, folder, place.interpreter, "--device=cuda:0")
    return judged(
        place, folder, code, 0, dict.fromkeys(("keras-tensorflow", "pytorch"), ("ok", ""))
    )


def device_gone(place: Place) -> Try:
    """In its second round one backend does not find the GPU any more."""
    folder = place.root / "gone"
    order(place.root, {"timing pytorch 1 1": GONE})
    with driver(10_000):
        both = "--backend=keras-tensorflow,pytorch"
        code = run(place, folder, place.interpreter, "--device=cuda:0", both)
    order(place.root, {})

    def promised(record: Record) -> tuple[str, str]:
        gone = record.trial.backend == "pytorch" and (record.trial.round or 0) > 0
        return ("unavailable", "no such device in pytorch") if gone else ("ok", "")

    return judged(place, folder, code, 1, promised)


def run(place: Place, folder: Path, pytorch: str, *arguments: str) -> int:
    """The exit code of a run whose `pytorch` is this interpreter; what follows counts more."""
    pythons = [f"--python=keras-tensorflow={place.interpreter}", f"--python=pytorch={pytorch}"]
    output = place.root / f"{folder.name}.out"
    return ended(forked([*PLAN, f"--out={folder}", *pythons, *arguments], output, place.temporary))


def judged(place: Place, folder: Path, code: int, expected: int, promised: Promised) -> Try:
    """Exit code, and of every record its status and how its reason begins."""
    run = read_run(folder)
    records = list(read_records(folder, run))
    wrong = [] if code == expected else [f"{folder.name}: exit code {code}"]
    for record in records:
        name = record.trial.backend
        status, reason = promised(record) if callable(promised) else promised[name]
        if record.status != status or not (record.reason or "").startswith(reason):
            wrong.append(f"{folder.name}, {name}: {record.status}, {record.reason}")
    if {one.trial.backend for one in records} != {"keras-tensorflow", "pytorch"}:
        wrong.append(f"{folder.name}: a backend has no record")
    return Try(
        wrong=next(iter([*wrong, *damaged(folder)]), None),
        lost=len(run.trials) - len(records),
        orphans=len(workers(place)) + len(unfinished(place, folder)),
    )


def lost(*asked: Any) -> Any:
    raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)


@contextmanager
def driver(answers: int) -> Iterator[None]:
    """NVML with one GPU, which is lost after it was asked for so often."""
    left = iter(range(answers))

    def handle(asked: object) -> str:
        return lost() if next(left, None) is None else "the GPU"

    told: dict[str, Callable[..., Any]] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: "1.0",
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": handle,
        "nvmlDeviceGetHandleByUUID": handle,
        "nvmlDeviceGetName": lambda gpu: "a GPU",
        "nvmlDeviceGetUUID": lambda gpu: "GPU-1a2b",
        "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(total=2**33, used=2**30),
    }
    with ExitStack() as stack:
        for name in filter(ASKS.match, dir(pynvml)):
            stack.enter_context(patch.object(pynvml, name, told.get(name, lost)))
        stack.enter_context(patch.dict(os.environ))
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        yield


ROW = Row(number=11, fault="framework missing or broken, GPU missing or lost", tries=missing)
