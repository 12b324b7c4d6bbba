"""A script in place of a backend's worker: it has valid answers in a few hundredths of a second.

It takes turns like a worker. `orders.json` in its folder has orders by the name of a trial: a
signal with which the script ends itself before its result, or lines of Python that it runs.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.record import TrialModel
from bench.spec import Cell, Execution
from bench.workloads import MLP_512
from tests.fakes.scripts import figures_of, write_script
from tests.records import good, plan

ORDERS = "orders.json"
# JSON in a string: Python takes long to compile lists of 10,000 predictions
BODY = """
orders = {orders!r}
template = {template!r}
def send(**event):
    os.write(pipe, json.dumps(event).encode() + b"\\n")
def label(cell):
    device = cell["execution"]["device"].replace(":", "")
    return template.replace("BACKEND", cell["backend"]).replace("_cpu_", f"_{{device}}_")
def work():
    time.sleep(0.002 + os.urandom(1)[0] / 32_000)
result = {{"status": "ok", "reason": None, "versions": {{"fake": "1.0"}},
          "devices": ["cpu", "cuda:0"]}}
send(event="phase", phase="import")
work()
if "cells" in task:
    result["cells"] = [
        {{"cell": label(cell), "status": "ok", "setup_seconds": 0.01,
          "step_seconds": 0.001, "steps_per_block": 4, "steps_per_call": 1,
          "compile_seconds": 0.0, "native_step_seconds": 0.001}}
        for cell in task["cells"]
    ]
else:
    trial = task["trial"]
    name = f"{{trial['kind']}} {{trial['cell']['backend']}} {{trial['round']}} {{trial['seed']}}"
    with open(orders) as file:
        order = json.load(file).get(name)
    if trial["kind"] == "timing":
        for _ in range(3):
            send(event="turn")
            assert os.read(task["turn_descriptor"], 1)
            work()
    work()
    result.update(json.loads({figures!r})[trial["kind"]])
    if isinstance(order, str):
        exec(order)
    elif order is not None:
        os.kill(os.getpid(), order)
        time.sleep(600)
    result["rungs"] = [{{"rung": "data", "measured": 0.0, "gate": 0.0, "where": None,
                         "passed": True}}]
send(event="result", result=result)
"""


def stand_in(folder: Path) -> str:
    """Write the script into this folder; return its path."""
    trials = plan(workloads=["mlp-512"], rounds=1)
    figures = {trial.kind: figures_of(good(trial)) for trial in trials}
    execution = Execution(device="cpu", batch_size=MLP_512.batch_size)
    template = Cell(workload="mlp-512", backend="BACKEND", execution=execution).label
    write_orders(folder, {})
    body = BODY.format(
        orders=str(folder / ORDERS),
        figures=json.dumps({**figures, "parity": {}}),
        template=template,
    )
    return write_script(folder, "stand-in", body)


def write_orders(folder: Path, orders: Mapping[str, Any]) -> None:
    """Replace the orders: a signal or Python code by the name of a trial, `timing pytorch 0 0`."""
    (folder / ORDERS).write_text(json.dumps(orders), encoding="utf-8")


def name_of(trial: TrialModel) -> str:
    """Return the name of a trial in the orders."""
    return f"{trial.kind} {trial.backend} {trial.round} {trial.seed}"
