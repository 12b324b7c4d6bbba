"""The list of all rows of the matrix."""

from tests.faults import (
    canaries,
    clocks,
    code_from_data,
    datasets,
    failing,
    flooding,
    full_disk,
    hanging,
    hostile_runs,
    hostile_text,
    interrupted,
    killed_parent,
    killed_workers,
    locked,
    missing,
    offline,
    starving,
    torn_files,
)
from tests.faults.matrix import Row

MODULES = (
    *(killed_workers, killed_parent, hanging, interrupted, locked, flooding, clocks),
    *(full_disk, torn_files, datasets, hostile_runs, hostile_text, code_from_data),
    *(starving, offline, missing, failing, canaries),
)
ROWS: dict[int, Row] = {module.ROW.number: module.ROW for module in MODULES}
