"""Workers that are no Python environment: scripts that start at once and say what a test wants."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.records import good, plan


def script(folder: Path, name: str, body: str) -> str:
    """An interpreter that plays a worker; `body` has its `task`, and the `pipe` for its events."""
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


def answering(folder: Path, name: str, answers: Mapping[str, Mapping[str, Any]]) -> str:
    """A worker whose trials are good, but for what `answers` has for their precision or kind."""
    figures = {trial.kind: figures_of(good(trial)) for trial in plan(rounds=1) if not trial.parity}
    # JSON in a string: as Python, lists of 10,000 predictions take long to compile
    told = f"answers, figures = {dict(answers)!r}, {json.dumps(figures)!r}"
    return script(folder, name, f"{told}\n{ANSWERING}")


def figures_of(document: Mapping[str, Any]) -> dict[str, Any]:
    return {part: document[part] for part in ("lanes", "accuracy") if document[part] is not None}
