"""Every committed report is what its committed records say, to the letter and the pixel."""

import json
import shutil
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

import jsonschema_rs
import pytest

import reports
from bench.record import Record, stored
from bench.record.run import RunModel, read_run
from bench.record.stored import read_records
from reports.publishing.index import BEGIN, insert_table
from reports.publishing.verify import as_text, find_runs, verify
from reports.site import write_site

PUBLISHED = Path(reports.__file__).parent / "published"
FOLDERS = find_runs(PUBLISHED)


def test_something_is_published():
    assert FOLDERS


Published = tuple[Path, RunModel, list[Record]]


@pytest.fixture(scope="module", autouse=True)
def _records_parsed_once() -> Iterator[None]:
    """Parse each record once: the tests read the same hundreds of records four times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "parse_record", cache(stored.parse_record))
        yield


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def published(request: pytest.FixtureRequest) -> Published:
    """Return a folder, its run and its records."""
    run = read_run(request.param)
    return request.param, run, list(read_records(request.param, run))


def test_the_report_follows_from_its_records(published: Published):
    found = verify(published[0])
    assert not found.differences, as_text(found)


def test_the_records_fit_the_schema_and_a_report_says_where_some_are_missing(published: Published):
    folder, run, records = published
    schema = json.loads(
        resources.files("bench.record").joinpath("record.schema.json").read_text("utf-8")
    )
    validator = jsonschema_rs.Draft202012Validator(schema)
    if len(records) < len(run.trials):
        assert "> **Incomplete run.** " in (folder / "report.md").read_text(encoding="utf-8")
    for record in records:
        validator.validate(json.loads(record.model_dump_json()))


def test_the_index_names_every_report():
    index = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    for folder in FOLDERS:
        assert f"({folder.name}/report.md)" in index
    assert BEGIN in index
    assert insert_table(index, PUBLISHED) == index, (
        "make it again: reports.publishing.index.write_index"
    )


def test_the_site_is_that_of_the_reports(tmp_path):
    copy = tmp_path / "published"
    shutil.copytree(PUBLISHED, copy, ignore=shutil.ignore_patterns("*.html"))
    write_site(copy)
    made = {path.relative_to(copy): path.read_bytes() for path in copy.rglob("*.html")}
    committed = {path.relative_to(PUBLISHED): path for path in PUBLISHED.rglob("*.html")}
    assert made.keys() == committed.keys()
    for name, content in made.items():
        assert committed[name].read_bytes() == content, f"{name}: run `nox -s site`"
