"""A run for others: verified, without names, packed into four parts, and listed in an index."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import RecordError, UsageError, WriteError
from bench.record import as_line, digest
from bench.record.archive import ARCHIVE, write_archive
from bench.record.run import RunModel, read_run, write_run
from bench.record.stored import stored_records
from reports.publishing.index import write_index
from reports.publishing.redaction import Redactor, of_this_machine
from reports.publishing.verify import verify
from reports.report import write_report
from reports.text import plural


@dataclass(frozen=True, kw_only=True)
class Published:
    folder: Path
    replaced: int


def publish(source: Path, directory: Path, label: str = "") -> Published:
    """Put the run in `source` into a new folder of `directory`, and into its index.

    A failure leaves `directory` as it was. Raises `UsageError` for a run that is not for others
    or a folder that exists, `RecordError` for one that can't be verified, `WriteError`.
    """
    run = read_run(source)
    require_citable(run, source)
    redactor = Redactor(replacements=of_this_machine())
    public = RunModel.model_validate(redactor.document(run.model_dump(exclude_unset=True)))
    target = directory / folder_name(public, label)
    require_absent(target)
    require_verified(source)
    lines = list(public_lines(source, run, redactor))
    with built_beside(target) as folder:
        write_run(public, folder)
        write_archive(folder / ARCHIVE, lines)
        write_report(folder)
        require_verified(folder)
    try:
        write_index(directory)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return Published(folder=target, replaced=redactor.replaced)


def require_citable(run: RunModel, source: Path) -> None:
    if run.profile == "smoke":
        raise UsageError(
            f"{source} is a smoke run, which is not for citation. Expected: profile standard or "
            "full. Measure anew: nox -s bench"
        )


def require_absent(target: Path) -> None:
    if target.exists():
        raise UsageError(
            f"{target} is published already. Expected: a new folder. For another run of that day "
            "and machine: --label TEXT"
        )


def require_verified(folder: Path) -> None:
    differences = verify(folder).differences
    if differences:
        first = differences[0]
        expected, found = (text.partition("\n")[0] for text in (first.expected, first.found))
        raise RecordError(
            f"cannot publish {folder}: {plural(len(differences), 'difference')} between what it "
            f"holds and what its records say, the first in {first.place}. Expected: {expected}. "
            f"Received: {found}. Write the report anew: samestep report {folder}"
        )


def public_lines(source: Path, run: RunModel, redactor: Redactor) -> Iterator[bytes]:
    """The records without names; what was changed is sealed anew, and pointed to anew."""
    moved: dict[str, str] = {}
    for stored in stored_records(source, run):
        document = redactor.document(json.loads(stored.content))
        # in the plan's order a certificate comes before the trials that point to it
        if document["parity"] is not None:
            pointed_to = document["parity"]["certificate_sha256"]
            document["parity"]["certificate_sha256"] = moved.get(pointed_to, pointed_to)
        document["sha256"] = moved[stored.record.sha256] = digest(document)
        yield as_line(document)


def folder_name(run: RunModel, label: str) -> str:
    """`2026-11-24-amd-epyc-2-cores`, and the label."""
    return "-".join(part for part in (run.created[:10], machine(run), words(label)) if part)


def machine(run: RunModel) -> str:
    """The GPUs where a cell ran on one, else the CPU and its cores."""
    found = run.environment
    if found.gpus and any(trial.execution.device != "cpu" for trial in run.trials):
        return words(" ".join(dict.fromkeys(gpu.name for gpu in found.gpus)))
    # what follows the @ is the clock on the box
    of_all = "" if found.cores == found.cores_logical else f" of {found.cores_logical}"
    return words(f"{found.cpu.partition('@')[0]} {found.cores}{of_all} cores")


def words(text: str) -> str:
    """Lower-case words joined by hyphens, without trade marks."""
    plain = re.sub(r"\((?:R|TM|C)\)", " ", text, flags=re.IGNORECASE).lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))


@contextmanager
def built_beside(target: Path) -> Iterator[Path]:
    """A temporary folder that becomes `target` at the end; nothing is left of it otherwise."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        raise WriteError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        # made private; what is published is for everybody
        temporary.chmod(0o755)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise WriteError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
