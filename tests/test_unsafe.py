"""Nothing that we read can run code: no pickle and its like anywhere, read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("bench", "backends", "reports", "examples", "tests")
MODULES = frozenset({"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve", "yaml"})
CALLS = frozenset({"eval", "exec", "torch.load", "keras.models.load_model", "yaml.load"})


def sources() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def unsafe(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.split(".")[0] in MODULES)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield f"from {node.module}"
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in CALLS:
                yield name
            if name in {"np.load", "numpy.load"} and not refuses_pickle(node):
                yield f"{name} without allow_pickle=False"


def refuses_pickle(call: ast.Call) -> bool:
    return any(
        one.arg == "allow_pickle"
        and isinstance(one.value, ast.Constant)
        and one.value.value is False
        for one in call.keywords
    )


def test_no_source_of_ours_can_run_what_it_reads():
    found = {
        str(path.relative_to(ROOT)): list(unsafe(ast.parse(path.read_text(encoding="utf-8"))))
        for path in sources()
    }
    assert len(found) > 200
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize("text", [
    "import pickle", "from joblib import load", "np.load(path)", "np.load(path, allow_pickle=True)",
    "torch.load(path)", "exec(text)", "import yaml",
])  # fmt: skip
def test_what_could_is_found(text):
    assert list(unsafe(ast.parse(text)))


def test_what_can_not_is_let_through():
    assert list(unsafe(ast.parse("np.load(path, allow_pickle=False); json.load(file)"))) == []
