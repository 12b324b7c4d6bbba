"""`python -m tests.selftest aa|effect|contention --python pytorch=PATH [--out FOLDER]`.

`aa --backend jax` measures another backend; effects are planted in PyTorch only. Prints the figures
as JSON, writes them into the folder of the records, and exits with 1 if they are not good enough.
`--from FOLDER` judges the records of an earlier run again, without measuring.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from backends import BACKENDS
from bench.errors import LockedError
from bench.machine.environment import environment
from bench.machine.run_lock import hold_machine
from bench.record.run import read_run
from bench.record.stored import read_records
from tests.selftest import aa, contention, effect
from tests.selftest.experiment import PLAIN

TESTS: dict[str, ModuleType] = {"aa": aa, "effect": effect, "contention": contention}


def main() -> None:
    options = arguments()
    test = TESTS[options.test]
    if options.judge is None:
        folder = options.out or Path(tempfile.mkdtemp(prefix="samestep-selftest-"))
        # another run would disturb the measurement
        with hold_machine(["cpu"], f"selftest {options.test}", folder):
            path = interpreter(options.python, options.backend)
            records = test.measure(options.backend, path, folder)
    else:
        folder = options.judge
        records = list(read_records(folder, read_run(folder)))
    good = [record for record in records if record.status == "ok"]
    machine = environment({}, {})
    answer = {
        "selftest": options.test,
        "backend": options.backend,
        "cpu": machine.cpu,
        "cores": machine.cores_logical,
        "run_id": records[0].run_id,
        "versions": records[0].environment.versions,
        "failed_trials": len(records) - len(good),
        **test.figures(good, options.backend),
    }
    text = json.dumps(answer, indent=1)
    (folder / f"selftest-{options.test}-{options.backend}.json").write_text(
        f"{text}\n", encoding="utf-8"
    )
    print(text)
    sys.exit(1 if answer["shortfalls"] or answer["failed_trials"] else 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("test", choices=TESTS)
    parser.add_argument("--backend", choices=BACKENDS, default=PLAIN)
    parser.add_argument("--python", action="append", default=[], metavar="BACKEND=PATH")
    parser.add_argument("--out", type=Path, help="a new folder for the records")
    parser.add_argument("--from", dest="judge", type=Path, help="the folder of an earlier one")
    options = parser.parse_args()
    if options.test != "aa" and options.backend != PLAIN:
        parser.error(f"effects are planted in {PLAIN} only. Received: {options.backend}")
    return options


def interpreter(pairs: list[str], backend: str) -> str:
    """Return the path of the backend, of the `BACKEND=PATH` pairs."""
    paths = dict(pair.split("=", 1) for pair in pairs)
    if backend not in paths:
        sys.exit(f"no interpreter. Expected: --python {backend}=PATH. Received: {pairs}")
    return paths[backend]


if __name__ == "__main__":
    try:
        main()
    except LockedError as error:
        print(f"samestep: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
