"""The scripts of examples/tutorials behind the verbs that the tests need.

Parameters and gradients come and go in the canonical form of `bench.adapter`; images go in as
pixels, for a script scales and shapes them itself.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.spec import Workload
from scripts.pages.side_by_side import VERSIONS, folder_of
from tests.conformance.planted import FAMILIES


def is_written(backend: str) -> bool:
    """Whether there are scripts in what this backend runs."""
    return FAMILIES.get(backend) in VERSIONS


def open_student(backend: str, workload: Workload) -> Any:
    """The script's model, built; after a program of ours, which sets device and precision."""
    family = FAMILIES[backend]
    script = imported(folder_of(workload.name) / VERSIONS[family])
    module = importlib.import_module(f"tests.conformance.students.{family}")
    return module.Student(script, workload)


def imported(path: Path) -> ModuleType:
    """A script as a module; by its path, since `examples` is a name that others use too."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
