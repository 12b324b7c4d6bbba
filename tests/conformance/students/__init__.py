"""The scripts of examples/tutorials, with the methods that the tests need.

Parameters and gradients have the canonical form of `bench.adapter`. Images are pixels, because a
script scales and shapes them itself.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.spec import Workload
from scripts.pages.side_by_side import VERSIONS, folder_of
from tests.conformance.planted import FAMILIES


def is_written(backend: str) -> bool:
    """Return whether there are scripts in the framework of this backend."""
    return FAMILIES.get(backend) in VERSIONS


def open_student(backend: str, workload: Workload) -> Any:
    """Return the script's model; call it after our program, which sets device and precision."""
    family = FAMILIES[backend]
    script = import_script(folder_of(workload.name) / VERSIONS[family])
    module = importlib.import_module(f"tests.conformance.students.{family}")
    return module.Student(script, workload)


def import_script(path: Path) -> ModuleType:
    """Import a script by its path, because other packages may also be named `examples`."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
