"""`python -m tests.faults [ROW ...]`: the fault matrix; exits with 1 unless every try passed.

`--share 0.1` makes a tenth of the tries, `--json FILE` writes the results. With
`--python BACKEND=PATH` a real framework is tried, in the rows that have tries for it.
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
from tests.faults.matrix import Tally, tally_tries
from tests.faults.rows import ROWS

AT_ONCE = 2


def try_row(number: int, share: float, interpreters: Mapping[str, str]) -> Tally:
    row = ROWS[number]
    with TemporaryDirectory(prefix="faults-") as folder:
        if row.real is None or not interpreters:
            return tally_tries(row, row.tries(share, Path(folder)))
        return tally_tries(row, row.real(share, Path(folder), interpreters))


def matrix(numbers: Sequence[int], share: float, interpreters: Mapping[str, str]) -> list[Tally]:
    with ProcessPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(partial(try_row, share=share, interpreters=interpreters), numbers))


def row_number(text: str) -> int:
    """Return the number of a row; raise the error that argparse shows to the user."""
    if text not in map(str, ROWS):
        raise argparse.ArgumentTypeError(f"no row {text!r}. Expected: {', '.join(map(str, ROWS))}")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", type=row_number, metavar="ROW")
    parser.add_argument("--share", type=float, default=1.0, help="of the tries of each row")
    parser.add_argument(
        "--python", action="append", metavar="BACKEND=PATH", help="of a real backend"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results")
    options = parser.parse_args()
    started = time.monotonic()
    interpreters = dict(pair.split("=", 1) for pair in options.python or ())
    rows = [number for number in sorted(ROWS) if ROWS[number].real or not interpreters]
    tallies = matrix(options.rows or rows, options.share, interpreters)
    print(table_of([asdict(tally) for tally in tallies]))
    for tally in tallies:
        for wrong in tally.wrong:
            print(f"row {tally.number}: {wrong}")
    print(f"{time.monotonic() - started:.0f} s")
    if options.json is not None:
        document = [asdict(tally) for tally in tallies]
        write_atomically(options.json, f"{json.dumps(document, indent=1)}\n".encode())
    return 0 if all(tally.passed == tally.tries for tally in tallies) else 1


if __name__ == "__main__":
    sys.exit(main())
