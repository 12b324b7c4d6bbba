"""`python -m reports.site DIRECTORY`: write the static site of the runs in a directory."""

import sys
from pathlib import Path

from bench.errors import SamestepError
from reports.site import write_site

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"expected a directory with runs. Received: {' '.join(sys.argv[1:]) or 'nothing'}")
    try:
        print(write_site(Path(sys.argv[1])))
    except SamestepError as error:
        sys.exit(str(error))
