"""Where `reports` may look: records and their meaning, never a runner, a backend or a framework."""

import ast
from pathlib import Path

import reports

ALLOWED = {
    *(
        "bench.errors",
        "bench.files",
        "bench.homes",
        "bench.mnist",
        "bench.record",
        "bench.run_file",
        "bench.spec",
    ),
    *("bench.calibration", "bench.contention", "bench.plan", "bench.quantities", "bench.stats"),
    *("bench.archive", "bench.opponents", "bench.trials", "bench.work", "bench.workloads"),
}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_reports_import_no_runner_no_backend_and_no_pyplot():
    files = Path(reports.__file__).parent.rglob("*.py")
    names = {name for path in files for name in imported(path)}
    ours = {name for name in names if name.startswith(("bench", "backends"))}
    assert ours <= ALLOWED
    outside = {name.partition(".")[0] for name in names}
    assert not outside & {"torch", "keras", "tensorflow", "jax", "psutil", "subprocess"}
    assert "matplotlib.pyplot" not in names
