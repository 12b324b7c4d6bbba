"""Row 16: secrets of the run's environment are in no file or output, although workers print them.

One backend prints its environment and measures. The other is the real worker with a framework that
raises an error with its whole environment. Home folders and the host's name are secrets as well.
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
from tests.faults.runs import Place, fork_command, wait_for_end

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
        code = wait_for_end(start(place, run))
        # a smoke run is quick, but not for citation
        stack.enter_context(patch.object(publish, "require_citable", lambda run, source: None))
        # the run itself has no figures either
        stack.enter_context(patch.object(report, "FIGURES", ()))
        published = publish.publish(run, folder / "published").folder
    contents = {**files(run), **files(published), "output": place.output(run).encode()}
    public = {name: content for name, content in contents.items() if "/logs/" not in name}
    # the secrets were really printed
    yield Try(wrong=unmet_condition(code, run, contents))
    for name, value in secrets.items():
        yield Try(wrong=leak(name, value.encode(), contents))
    yield Try(wrong=leak("the host's name", HOST.encode(), contents))
    yield Try(wrong=leak("the home folder", str(home).encode(), public))


def value_of(name: str) -> str:
    value = VALUE.format(name)
    return f"https://user:{value}@example.org" if name.endswith(("URL", "PROXY")) else value


def start(place: Place, run: Path) -> int:
    prints = shell_script(place.root / "prints", f"env\nexec {place.interpreter}")
    raises = real_worker(place.root, "raises", "torch", RAISES)
    return fork_command(
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


def unmet_condition(code: int, run: Path, contents: dict[str, bytes]) -> str | None:
    """Return a condition of this row that the run does not meet; None if it meets all."""
    logs = [content for name, content in contents.items() if "/logs/" in name]
    if code != 1:
        return f"exit code {code}"
    if str(run).encode() not in contents["output"]:
        return "the command has printed nothing"
    if sum(b"PATH" in log for log in logs) < 2:
        return "the workers have not printed their environments"
    paths = [run / RUN_FILE, *(run / RECORDS).glob("*.json")]
    if not any(b"RuntimeError: {" in path.read_bytes() for path in paths):
        return "no record has the error with the environment in it"
    return None


def leak(what: str, secret: bytes, contents: dict[str, bytes]) -> str | None:
    """Return which file has the secret; None if no file has it."""
    names = [name for name, content in contents.items() if secret in content]
    return f"{what} is in {names[0]}" if names else None


ROW = Row(number=16, fault="secrets in the environment of a run", tries=canaries)
