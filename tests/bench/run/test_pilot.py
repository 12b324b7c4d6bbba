"""A pilot measures many cells in one process; a cell that kills it does not affect the others."""

from backends import Place
from bench.profiles import Profile
from bench.run.planner import Planner
from bench.run.request import Request
from bench.workloads import CNN, MLP_512
from tests.bench.run.test_gpu_planning import CollectingDisplay
from tests.fakes.scripts import write_script

NAME = "pytorch"
# the CNN is too large for this machine
BODY = """
if any(cell["workload"] == "cnn" for cell in task["cells"]):
    os.kill(os.getpid(), signal.SIGKILL)
cells = [{{"cell": {label!r}, "status": "failed", "reason": "seen alone"}}]
result = {{"status": "ok", "reason": None, "cells": cells}}
os.write(pipe, json.dumps({{"event": "result", "result": result}}).encode() + b"\\n")
"""


def test_after_a_killed_pilot_each_cell_has_its_own_pilot(tmp_path):
    display = CollectingDisplay()
    request = Request(
        workloads=[CNN, MLP_512],
        backends=(NAME,),
        devices=("cpu",),
        profile=Profile(name="smoke", rounds=1),
        interpreters={NAME: str(tmp_path / "dies")},
        places={NAME: Place(adapter="none", environment="none")},
    )
    large, small = request.cells(NAME, "cpu")
    write_script(tmp_path, "dies", BODY.format(label=small.label))
    Planner(request, tmp_path / "run", tmp_path, display).new_run()
    outcomes = {record.trial.workload: (record.status, record.reason) for record in display.records}
    assert outcomes == {
        "cnn": ("killed", f"ended by SIGKILL; see pilot-{large.label}.log (pilot)"),
        "mlp-512": ("failed", "seen alone (pilot)"),
    }
    assert (tmp_path / "run" / "logs" / f"pilot-{large.label}.log").exists()
