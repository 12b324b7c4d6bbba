"""Publish a run: verify it, remove names, pack it into four parts, and list it in an index."""

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
from reports.publishing.redaction import Redactor, local_replacements
from reports.publishing.verify import verify
from reports.report import write_report
from reports.results.machine import cpu_name, gpu_names
from reports.sections.citing import URL
from reports.text import plural


@dataclass(frozen=True, kw_only=True)
class PublishedRun:
    """The folder of a published run, and the number of texts in which names were replaced."""

    folder: Path
    replaced: int


def publish(source: Path, directory: Path, label: str = "", url: str = "") -> PublishedRun:
    """Copy the run in `source` to a new folder of `directory`, and update the index there.

    `url` is the address at which others find `directory`: the citation names the run's page there.
    A failure leaves `directory` unchanged. Raises `UsageError` for a smoke run, a wrong address or
    if the folder exists, `RecordError` if the run can't be verified, `WriteError` if a file can't
    be written.
    """
    require_address(url)
    run = read_run(source)
    require_citable(run, source)
    redactor = Redactor(replacements=local_replacements())
    public = RunModel.model_validate(redactor.document(run.model_dump(exclude_unset=True)))
    target = directory / folder_name(public, label)
    require_absent(target)
    require_verified(source)
    lines = list(public_lines(source, run, redactor))
    with create_folder(target) as folder:
        write_run(public, folder)
        write_archive(folder / ARCHIVE, lines)
        write_report(folder, url=f"{url.rstrip('/')}/{target.name}" if url else "")
        require_verified(folder)
    try:
        write_index(directory)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return PublishedRun(folder=target, replaced=redactor.replaced)


def require_citable(run: RunModel, source: Path) -> None:
    """Raise `UsageError` for a smoke run."""
    if run.profile == "smoke":
        raise UsageError(
            f"{source} is a smoke run, which is not for citation. Expected: profile standard or "
            "full. Measure again: nox -s bench"
        )


def require_address(url: str) -> None:
    """Raise `UsageError` if `url` is neither empty nor an address that a citation can hold."""
    if url and not URL.fullmatch(url):
        raise UsageError(
            f"wrong address. Expected: https://HOST/PATH, with percent-encoded characters. "
            f"Received: {url!r}"
        )


def require_absent(target: Path) -> None:
    """Raise `UsageError` if the folder of the published run exists."""
    if target.exists():
        raise UsageError(
            f"{target} is published already. Expected: a new folder. For another run of that day "
            "and machine: --label TEXT"
        )


def require_verified(folder: Path) -> None:
    """Raise `RecordError` if the run's report differs from what its records say."""
    differences = verify(folder).differences
    if differences:
        first = differences[0]
        expected, actual = (text.partition("\n")[0] for text in (first.expected, first.found))
        raise RecordError(
            f"cannot publish {folder}: {plural(len(differences), 'difference')} between what it "
            f"holds and what its records say, the first in {first.place}. Expected: {expected}. "
            f"Received: {actual}. Write the report again: samestep report {folder}"
        )


def public_lines(source: Path, run: RunModel, redactor: Redactor) -> Iterator[bytes]:
    """Yield the records without names, with new hashes, and with references to the new hashes."""
    new_hashes: dict[str, str] = {}
    for stored in stored_records(source, run):
        document = redactor.document(json.loads(stored.content))
        # in the plan's order a certificate comes before the trials that refer to it
        if document["parity"] is not None:
            reference = document["parity"]["certificate_sha256"]
            document["parity"]["certificate_sha256"] = new_hashes.get(reference, reference)
        document["sha256"] = new_hashes[stored.record.sha256] = digest(document)
        yield as_line(document)


def folder_name(run: RunModel, label: str) -> str:
    """Return a name such as `2026-11-24-amd-epyc-2-cores`, with the label if there is one."""
    return "-".join(part for part in (run.created[:10], machine(run), words(label)) if part)


def machine(run: RunModel) -> str:
    """Name the GPUs if a trial is planned for a GPU, else the CPU and its cores."""
    environment = run.environment
    if environment.gpus and any(trial.execution.device != "cpu" for trial in run.trials):
        return words(gpu_names(environment))
    return words(cpu_name(environment))


def words(text: str) -> str:
    """Return the words of `text` in lower case, joined by hyphens."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


@contextmanager
def create_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder, renamed to `target` at the end or deleted after an error."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        raise WriteError(f"cannot write {target}: {error.strerror or error}") from error
    try:
        # mkdtemp makes a private folder, but a published run is for all users
        temporary.chmod(0o755)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise WriteError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
