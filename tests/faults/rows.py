"""All rows of the matrix."""

from tests.faults import (
    flooding,
    hanging,
    hostile,
    interrupted,
    killed_parent,
    killed_workers,
    torn,
)
from tests.faults.matrix import Row

MODULES = (killed_workers, killed_parent, hanging, torn, interrupted, hostile, flooding)
ROWS: dict[int, Row] = {module.ROW.number: module.ROW for module in MODULES}
