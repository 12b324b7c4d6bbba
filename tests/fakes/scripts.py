"""Scripts instead of workers: they start at once and send what a test needs."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.records import good, plan


def write_script(folder: Path, name: str, body: str) -> str:
    """Write a script that takes the place of an interpreter and its worker; return its path.

    `body` can use the `task`, and the `pipe` for events.
    """
    interpreter = folder / name
    interpreter.write_text(
        f"#!{sys.executable} -ISB\nimport json, os, signal, sys, time\n"
        f"task = json.load(sys.stdin)\npipe = task['result_descriptor']\n{body}\n",
        encoding="utf-8",
    )
    interpreter.chmod(0o755)
    return str(interpreter)


ANSWERING = """
result = {"status": "ok", "reason": None, "versions": {"fake": "1.0"}, "devices": ["cpu"],
          "settings": {"dump": task.get("dump")}}
if "cells" in task:
    result["cells"] = []
else:
    plan = task["trial"]["parity"]
    kind = plan["precision"] if plan else task["trial"]["kind"]
    result.update(json.loads(figures).get(kind, {}))
    result["rungs"] = [{"rung": "data", "measured": 0.0, "gate": 0.0, "where": None,
                        "passed": True}]
    result.update(answers.get(kind, {}))
os.write(pipe, json.dumps({"event": "result", "result": result}).encode() + b"\\n")
"""


def write_answers(folder: Path, name: str, answers: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a worker that has good results, changed by `answers` for a precision or a kind."""
    figures = {trial.kind: figures_of(good(trial)) for trial in plan(rounds=1) if not trial.parity}
    # JSON in a string: Python takes long to compile lists of 10,000 predictions
    data = f"answers, figures = {dict(answers)!r}, {json.dumps(figures)!r}"
    return write_script(folder, name, f"{data}\n{ANSWERING}")


def figures_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lanes and the accuracy of a record, if it has them."""
    return {part: document[part] for part in ("lanes", "accuracy") if document[part] is not None}
