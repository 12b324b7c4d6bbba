"""Row 15: no source reads a file format that can contain code: no pickle, no loader of objects."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.faults.matrix import Row, Try

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("bench", "backends", "reports", "examples", "scripts")
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
# functions that run what a file contains
CALLS = {
    *("eval", "exec", "torch.load", "torch.jit.load", "torch.hub.load", "np.fromfile"),
    *("yaml.load", "yaml.full_load", "yaml.unsafe_load", "yaml.load_all"),
    *("keras.models.load_model", "keras.saving.load_model", "pandas.read_pickle"),
    # no limit of the output
    *("gzip.decompress", "zlib.decompress", "gzip.open"),
}
METHODS = {"load_state_dict", "load_weights", "read_pickle"}
NUMPY = {"np.load", "numpy.load", "np.savez", "np.save", "numpy.save", "numpy.savez"}


def code_from_data(share: float, folder: Path) -> Iterator[Try]:
    """Try each source file, at any share: all of them take a second."""
    del share, folder
    for path in sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py")):
        names = sorted(forbidden_names(path.read_text(encoding="utf-8")))
        yield Try(wrong=f"{path.relative_to(ROOT)}: {', '.join(names)}" if names else None)


def forbidden_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call):
            yield from forbidden_calls(node)
        yield from (f"import {name}" for name in names if name.split(".")[0] in MODULES)


def forbidden_calls(node: ast.Call) -> Iterator[str]:
    name = ast.unparse(node.func)
    if name in CALLS or name.rpartition(".")[2] in METHODS:
        yield name
    if name in NUMPY and not any(is_no_pickle(keyword) for keyword in node.keywords):
        yield f"{name} without allow_pickle=False"


def is_no_pickle(keyword: ast.keyword) -> bool:
    value = keyword.value
    return (
        keyword.arg == "allow_pickle" and isinstance(value, ast.Constant) and value.value is False
    )


ROW = Row(number=15, fault="pickle, or a loader that runs what it reads", tries=code_from_data)
