"""Row 16: secrets in the run's environment, which its workers print: no file or output has them.

One backend prints its environment and measures, another is the real worker, whose framework raises
an error with all of its environment in it. Home folders and the host's name are looked for as well.
"""

import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from bench.record.run import RUN_FILE
from bench.record.stored import RECORDS
from reports import report
from reports.publishing import publish
from tests.faults.matrix import Row, Try
from tests.faults.real_worker import real_worker, shell_script
from tests.faults.runs import Place, ended, forked

VALUE = "canary-{}-7f3a9c"
SECRETS = (
    *("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PGPASSWORD", "DATABASE_PASSWORD", "WANDB_API_KEY"),
    *("HTTPS_PROXY", "DATABASE_URL", "SSH_AUTH_SOCK", "TF_TOKEN_registry", "TF_VAR_account"),
    *("KERAS_API_KEY", "TORCH_HUB_SECRET", "SOMETHING_ELSE"),
)
HOST = "canary-host-7f3a9c"
RAISES = "import os\nprint(os.environ, flush=True)\nraise RuntimeError(str(dict(os.environ)))\n"


def canaries(share: float, folder: Path) -> Iterator[Try]:
    place, run, home = Place.make(folder), folder / "run", folder / "home-of-canary"
    home.mkdir()
    secrets = {name: value_of(name) for name in SECRETS}
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, {**secrets, "HOME": str(home)}))
        stack.enter_context(patch.object(platform, "node", lambda: HOST))
        code = ended(started(place, run))
        # a smoke run is not for citation, and quick
        stack.enter_context(patch.object(publish, "require_citable", lambda run, source: None))
        # as in the run itself
        stack.enter_context(patch.object(report, "FIGURES", ()))
        published = publish.publish(run, folder / "published").folder
    told = place.output(run).encode()
    everywhere = {**files(run), **files(published), "output": told}
    kept = {name: content for name, content in everywhere.items() if "/logs/" not in name}
    # what is looked for was really there to be found
    yield Try(wrong=unlike(code, run, everywhere))
    for name, value in secrets.items():
        yield Try(wrong=found(name, value.encode(), everywhere))
    yield Try(wrong=found("the host's name", HOST.encode(), everywhere))
    yield Try(wrong=found("the home folder", str(home).encode(), kept))


def value_of(name: str) -> str:
    value = VALUE.format(name)
    return f"https://user:{value}@example.org" if name.endswith(("URL", "PROXY")) else value


def started(place: Place, run: Path) -> int:
    prints = shell_script(place.root / "prints", f"env\nexec {place.interpreter}")
    raises = real_worker(place.root, "raises", "torch", RAISES)
    return forked(
        [
            *("run", "--profile=smoke", "--workload=mlp-512", "--rounds=1", "--seeds=0"),
            *("--backend=keras-tensorflow,pytorch", f"--out={run}"),
            *(f"--python=keras-tensorflow={prints}", f"--python=pytorch={raises}"),
        ],
        place.root / f"{run.name}.out",
        place.temporary,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def unlike(code: int, run: Path, everywhere: dict[str, bytes]) -> str | None:
    """What of the run itself is not as it must be for this row to mean anything; None: nothing."""
    logs = [content for name, content in everywhere.items() if "/logs/" in name]
    if code != 1:
        return f"exit code {code}"
    if str(run).encode() not in everywhere["output"]:
        return "the command has printed nothing"
    if sum(b"PATH" in log for log in logs) < 2:
        return "the workers have not printed their environments"
    kept = [run / RUN_FILE, *(run / RECORDS).glob("*.json")]
    if not any(b"RuntimeError: {" in path.read_bytes() for path in kept):
        return "no record has the error with the environment in it"
    return None


def found(what: str, secret: bytes, contents: dict[str, bytes]) -> str | None:
    where = [name for name, content in contents.items() if secret in content]
    return f"{what} is in {where[0]}" if where else None


ROW = Row(number=16, fault="secrets in the environment of a run", tries=canaries)
