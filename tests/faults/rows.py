"""All rows of the matrix."""

from tests.faults import flooding, hanging, interrupted, killed_parent, killed_workers
from tests.faults.matrix import Row

MODULES = (killed_workers, killed_parent, hanging, interrupted, flooding)
ROWS: dict[int, Row] = {module.ROW.number: module.ROW for module in MODULES}
