"""`python -m tests.faults [ROW ...]`: the fault matrix; exits with 1 unless every try passed.

`--share 0.1` makes a tenth of the tries, `--json FILE` writes what they came to. With
`--python BACKEND=PATH` a real framework is tried, in those rows that can be.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.files import write_atomically
from scripts.pages.faults import table_of
from tests.faults.matrix import Tally, tally
from tests.faults.rows import ROWS

AT_ONCE = 2


def tried(number: int, share: float, interpreters: Mapping[str, str]) -> Tally:
    row = ROWS[number]
    with TemporaryDirectory(prefix="faults-") as folder:
        if row.real is None or not interpreters:
            return tally(row, row.tries(share, Path(folder)))
        return tally(row, row.real(share, Path(folder), interpreters))


def matrix(numbers: Sequence[int], share: float, interpreters: Mapping[str, str]) -> list[Tally]:
    with ProcessPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(partial(tried, share=share, interpreters=interpreters), numbers))


def known(text: str) -> int:
    """The number of a row; raises what argparse tells the user."""
    if text not in map(str, ROWS):
        raise argparse.ArgumentTypeError(f"no row {text!r}. Expected: {', '.join(map(str, ROWS))}")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", type=known, metavar="ROW")
    parser.add_argument("--share", type=float, default=1.0, help="of the tries of each row")
    parser.add_argument("--python", action="append", metavar="BACKEND=PATH", help="of a real one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what they came to")
    asked = parser.parse_args()
    started = time.monotonic()
    interpreters = dict(pair.split("=", 1) for pair in asked.python or ())
    rows = [number for number in sorted(ROWS) if ROWS[number].real or not interpreters]
    found = matrix(asked.rows or rows, asked.share, interpreters)
    print(table_of([asdict(one) for one in found]))
    for one in found:
        for wrong in one.wrong:
            print(f"row {one.number}: {wrong}")
    print(f"{time.monotonic() - started:.0f} s")
    if asked.json is not None:
        document = [asdict(one) for one in found]
        write_atomically(asked.json, f"{json.dumps(document, indent=1)}\n".encode())
    return 0 if all(one.passed == one.tries for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
