"""Publishing: what is refused, what is left out, and what lies in the folder in the end."""

import gzip
import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.errors import RecordError, UsageError, WriteError
from bench.profiles import CERTIFICATE
from bench.record import Record, seal
from bench.record.run import RunModel, read_run
from bench.record.stored import read_records
from reports import report
from reports.drawing import step_times
from reports.publishing import publish, verify
from reports.publishing.index import BEGIN, END, insert_table, write_index
from reports.publishing.publish import folder_name
from reports.publishing.redaction import Redactor, replacements
from reports.results.report import Report
from reports.text import escape
from tests.records import (
    build_records,
    build_run,
    certified,
    failed_record,
    plan,
    write_folder,
)
from tests.reports.tables_of import compose, table_with

NAME = "2026-01-02-intel-xeon-processor-2-cores"
UUID = "GPU-5d6b1a2c-3f4e-4a5b-8c7d-9e0f1a2b3c4d"


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch):
    """test_verify compares figures; here they would only take their time."""
    monkeypatch.setattr(report, "FIGURES", ())


@pytest.fixture(autouse=True)
def _author(monkeypatch):
    monkeypatch.setenv("HOME", "/data/people/alice")
    monkeypatch.setattr("getpass.getuser", lambda: "alice")
    monkeypatch.setattr("platform.node", lambda: "wonder.example.org")


def scenario(**changes) -> tuple[RunModel, list[Record]]:
    trials = plan(workloads=("mlp-512",), rounds=1, epochs=1, parity=CERTIFICATE)
    return build_run(trials, **changes), list(certified(build_records(trials)))


def reported(folder: Path, run: RunModel, records: list[Record]) -> Path:
    write_folder(folder, run, records)
    report.write_report(folder)
    (folder / "logs").mkdir()
    (folder / "logs" / "worker.log").write_text("as it was")
    return folder


@pytest.fixture
def source(tmp_path) -> Path:
    return reported(tmp_path / "run", *scenario())


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def everything(folder: Path) -> str:
    """All that can be read in a published folder and in the index beside it."""
    files = content(folder.parent)
    return "\n".join(
        (gzip.decompress(found) if name.endswith(".gz") else found).decode()
        for name, found in files.items()
    )


def test_a_published_run_has_four_parts_and_is_verified(source, tmp_path):
    done = publish.publish(source, tmp_path / "published")
    assert done.folder == tmp_path / "published" / NAME
    assert done.replaced == 0
    reports = {"report.md", "details.md", "network-mlp-512.md"}
    assert set(content(done.folder)) == {*reports, "records.jsonl.gz", "run.json"}
    run = read_run(source)
    assert read_run(done.folder) == run
    assert list(read_records(done.folder, run)) == list(read_records(source, run))
    for name in (*reports, "run.json"):
        assert (done.folder / name).read_bytes() == (source / name).read_bytes()
    assert verify.verify(done.folder).differences == ()
    assert done.folder.stat().st_mode & 0o777 == 0o755


def test_both_forms_of_a_figure_are_published(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "FIGURES", (step_times.figures,))
    source = reported(tmp_path / "run", *scenario())
    done = publish.publish(source, tmp_path / "published")
    files = content(done.folder / "figures")
    assert set(files) == {"step-time-cpu.png", "step-time-cpu.svg"}
    assert files == content(source / "figures")


def test_publishing_twice_gives_the_same_bytes(source, tmp_path):
    for place in ("one", "other"):
        publish.publish(source, tmp_path / place, "some label")
    assert content(tmp_path / "one") == content(tmp_path / "other")


def test_a_published_run_can_be_published_again(source, tmp_path):
    first = publish.publish(source, tmp_path / "one").folder
    second = publish.publish(first, tmp_path / "other").folder
    assert content(first) == content(second)


# refusals


def test_a_smoke_run_is_refused(tmp_path):
    source = reported(tmp_path / "run", *scenario(profile="smoke"))
    with pytest.raises(UsageError, match=r"is a smoke run.* Expected: profile"):
        publish.publish(source, tmp_path / "published")
    assert not (tmp_path / "published").exists()


def test_a_run_that_does_not_verify_is_refused(source, tmp_path):
    report = source / "details.md"
    report.write_text(report.read_text("utf-8").replace("407,050", "407,051"), encoding="utf-8")
    with pytest.raises(RecordError) as error:
        publish.publish(source, tmp_path / "published")
    assert "\n" not in str(error.value)
    for part in ("details.md, line ", "Expected: ", "Received: ", f"samestep report {source}"):
        assert part in str(error.value)
    assert not (tmp_path / "published").exists()


def test_an_existing_target_is_refused_and_stays(source, tmp_path):
    first = publish.publish(source, tmp_path / "published").folder
    before = content(tmp_path / "published")
    with pytest.raises(UsageError, match=r"is published already\. .*--label TEXT"):
        publish.publish(source, tmp_path / "published")
    assert content(tmp_path / "published") == before
    second = publish.publish(source, tmp_path / "published", "Every mode!").folder
    assert second.name == f"{first.name}-every-mode"


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_citation_has_the_address_of_the_published_run(source, tmp_path, slash):
    address = "https://example.org/a_b/published%20runs"
    folder = publish.publish(source, tmp_path / "published", url=f"{address}{slash}").folder
    text = (folder / "report.md").read_text("utf-8")
    assert f"  url = {{{address}/{NAME}}},\n" in text
    assert f", <{address}/{NAME}>.\n" in text
    assert verify.verify(folder).differences == ()
    assert "url = " not in (source / "report.md").read_text("utf-8")


@pytest.mark.parametrize(
    "url", ["example.org", "ftp://a", "https://a b", "https://a}", "https://<"]
)
def test_a_wrong_address_is_refused_before_anything_is_written(source, tmp_path, url):
    with pytest.raises(UsageError, match="wrong address"):
        publish.publish(source, tmp_path / "published", url=url)
    assert not (tmp_path / "published").exists()


@pytest.mark.parametrize("step", ["write_archive", "write_report", "os.replace", "write_index"])
def test_a_failure_leaves_nothing(source, tmp_path, monkeypatch, step):
    published = tmp_path / "published"
    publish.publish(source, published, "before")
    before = content(published)

    def fail(*_, **options):
        raise OSError(28, "No space left on device")

    # rename alone is to fail, not what is written before it
    monkeypatch.setattr(
        publish, *(("os", SimpleNamespace(replace=fail)) if "." in step else (step, fail))
    )
    with pytest.raises((WriteError, OSError)):
        publish.publish(source, published)
    assert content(published) == before
    assert [path.name for path in published.iterdir() if path.is_dir()] == [f"{NAME}-before"]


def test_a_folder_that_can_not_be_made_is_an_error_of_ours(source, tmp_path):
    (tmp_path / "published").write_text("a file")
    with pytest.raises(WriteError, match="cannot write "):
        publish.publish(source, tmp_path / "published")


# privacy


def gossip() -> tuple[RunModel, list[Record]]:
    """A run whose certificates and failures name a home, a user, a host and a GPU."""
    run, records = scenario()
    told = (
        f"alice@wonder: no /data/people/alice/cache, /home/bob/x, /root/y, /Users/carol/z on {UUID}"
    )
    last = records[-1]
    environment = records[0].environment.model_copy(
        update={"variables": {"XLA_FLAGS": "--xla_dump_to=/data/people/alice/dump"}}
    )
    changed = seal({**records[0].model_dump(), "environment": environment.model_dump()})
    failed = failed_record(
        last.trial.trial(), "failed", told, null_reasons={
            **last.null_reasons, **dict.fromkeys(
                ("parity", "parameters", "settings", "lanes", "accuracy", "timings", "memory"),
                "WONDER.example.org said so",
            ),
        },
    )  # fmt: skip
    records = list(certified([changed, *records[1:-1], failed]))
    backends = run.model_dump()["backends"]
    backends["keras-jax"] = {"versions": {"jax": "0.10 (/home/bob/jax)"}, "devices": [],
                             "unavailable": f"no {UUID}"}  # fmt: skip
    return build_run([one.trial.trial() for one in records], backends=backends), records


def test_names_and_paths_are_left_out(tmp_path):
    source = reported(tmp_path / "run", *gossip())
    done = publish.publish(source, tmp_path / "published")
    text = everything(done.folder)
    for name in ("alice", "bob", "carol", "wonder", "WONDER", "/root", UUID, "5d6b1a2c"):
        assert name not in text, name
    # the variable, the reason, a null's reason for each of 7 parts, a version, what is unavailable
    assert done.replaced == 11
    report = (done.folder / "details.md").read_text("utf-8")
    assert escape("[user]@[host]: no ~/cache, ~/x, ~/y, ~/z on [gpu]") in report


def test_a_changed_record_is_sealed_and_certifies_again(tmp_path):
    source = reported(tmp_path / "run", *gossip())
    done = publish.publish(source, tmp_path / "published")
    before, after = (list(read_records(f, read_run(f))) for f in (source, done.folder))
    assert before[0].sha256 != after[0].sha256
    assert after[1].parity.certificate_sha256 == after[0].sha256
    assert verify.verify(done.folder).differences == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/bob", "~"),
        ("/home/bob/x and /home/bobby", "~/x and ~"),
        ("/root/x, /rooted and /srv/root", "~/x, /rooted and /srv/root"),
        ("sun.example, sunny, Sun, the.sun", "[host], sunny, [host], the.[host]"),
        ("root, ed and eddy", "root, ed and eddy"),
        (f"CUDA_VISIBLE_DEVICES={UUID},GPU-1a2b", "CUDA_VISIBLE_DEVICES=[gpu],[gpu]"),
        ("GPU-based", "GPU-based"),
    ],
)
def test_what_is_replaced(text, expected):
    redactor = Redactor(replacements=replacements("/", "ed", "sun.example"))
    assert redactor.document({"a": [text]}) == {"a": [expected]}
    assert redactor.replaced == (text != expected)


@pytest.mark.parametrize("name", ["root", "Keras", "cpu", "ab", ""])
def test_ordinary_names_tell_nothing(name):
    text = "root: keras on the cpu, ab"
    redactor = Redactor(replacements=replacements("", name, name))
    assert redactor.document({"reason": text}) == {"reason": text}


def test_what_holds_a_run_together_is_not_touched():
    redactor = Redactor(replacements=replacements("", "bench", "ok_host"))
    document = {"run_id": "bench", "trial": {"backend": "bench"}, "reason": "bench"}
    assert redactor.document(document) == {**document, "reason": "[user]"}


# the index


def row_of(readme: Path, name: str) -> dict[str, str]:
    rows = table_with(readme.read_text("utf-8"), "content hash")
    return next(row for row in rows if name in row["report"])


def test_the_index_has_a_row_for_each_run_the_newest_first(source, tmp_path):
    published = tmp_path / "published"
    published.mkdir()
    (published / "README.md").write_text(f"# Ours\n\n{BEGIN}\nold\n{END}\n\nThe end.\n")
    publish.publish(source, published)
    later = reported(tmp_path / "later", *scenario(created="2026-02-03T04:05:06+00:00"))
    publish.publish(later, published)
    text = (published / "README.md").read_text("utf-8")
    assert text.startswith(f"# Ours\n\n{BEGIN}\n\n| date")
    assert text.endswith(f"\n\n{END}\n\nThe end.\n")
    rows = table_with(text, "content hash")
    assert [row["date"] for row in rows] == ["2026-02-03", "2026-01-02"]
    assert rows[1]["report"] == f"[{NAME}]({NAME}/report.md)"
    assert rows[1]["content hash"] == f"`{verify.verify(source).content_hash[:12]}`"
    assert rows[1]["what was measured"] == (
        "standard: mlp-512 on keras-tensorflow, pytorch; devices: cpu; modes: default; 1 round; "
        "seeds: 1"
    )
    assert rows[1]["machine"] == "Intel Xeon Processor, 2 cores"
    assert rows[1]["answer"].startswith("Preliminary, 1 good round instead of the 6 of a verdict")


def test_the_index_is_the_same_when_it_is_made_again(source, tmp_path):
    folder = publish.publish(source, tmp_path / "published").folder.parent
    text = (folder / "README.md").read_text("utf-8")
    assert insert_table(text, folder) == text
    write_index(folder)
    assert (folder / "README.md").read_text("utf-8") == text


def test_one_marker_is_refused(tmp_path):
    with pytest.raises(RecordError, match="one marker of its table"):
        insert_table(f"# Ours\n{BEGIN}\n", tmp_path)


def test_an_unavailable_framework_is_named(tmp_path):
    run, records = scenario()
    records = [
        failed_record(record.trial.trial(), "unavailable", "no module tensorflow")
        if record.trial.backend == "keras-tensorflow"
        else record
        for record in records
    ]
    source = reported(tmp_path / "run", run, list(certified(records)))
    done = publish.publish(source, tmp_path / "published")
    row = row_of(tmp_path / "published" / "README.md", done.folder.name)
    assert "; unavailable: keras-tensorflow" in row["what was measured"]
    assert "no module tensorflow" in (done.folder / "details.md").read_text("utf-8")


def test_an_incomplete_run_is_marked(tmp_path):
    run, records = scenario()
    source = reported(tmp_path / "run", run, records[:-1])
    done = publish.publish(source, tmp_path / "published")
    row = row_of(tmp_path / "published" / "README.md", done.folder.name)
    assert "; incomplete: 1 trial without a record" in row["what was measured"]


# names


def test_a_folder_is_named_after_the_gpu_where_one_was_used():
    trials = plan(workloads=("cnn",), devices=("cpu", "cuda:0"), rounds=1, seeds=())
    assert folder_name(build_run(trials, gpu=True), "") == "2026-01-02-nvidia-h200"
    on_cpu = plan(workloads=("cnn",), rounds=1, seeds=())
    assert folder_name(build_run(on_cpu, gpu=True), "The 2nd") == f"{NAME}-the-2nd"


def test_a_run_on_a_part_of_the_cores_says_so():
    run = build_run(plan(workloads=("mlp-512",), rounds=1))
    part = run.environment.model_copy(update={"cores_usable": 1})
    run = run.model_copy(update={"environment": part})
    assert folder_name(run, "") == "2026-01-02-intel-xeon-processor-1-of-2-cores"
    assert "2 logical cores, 1 of them used, 7.75 GiB" in compose(Report(run, []))


# the command


@pytest.fixture
def sites(monkeypatch) -> list[Path]:
    """Where the site was written; tests of its own say what is in it."""
    written: list[Path] = []
    monkeypatch.setitem(sys.modules, "reports.site", SimpleNamespace(write_site=written.append))
    return written


def test_the_command_says_where_and_how_much_was_replaced(samestep, sites, tmp_path):
    source = reported(tmp_path / "run", *gossip())
    published = tmp_path / "published"
    code, out, err = samestep("publish", str(source), "--to", str(published))
    assert (code, err) == (0, "")
    assert out.startswith(f"{published / NAME}\n11 texts replaced that named ")
    assert sites == [published]
    code, out, _ = samestep(
        "publish", str(source), "--to", str(published), "--label", "2", "--json"
    )
    assert json.loads(out) == {"published": str(published / f"{NAME}-2"), "texts_replaced": 11}


def test_the_command_refuses_with_an_exit_code(samestep, sites, source, tmp_path):
    shutil.rmtree(source / "records")
    code, out, err = samestep("publish", str(source), "--to", str(tmp_path / "published"))
    assert (code, out, sites) == (1, "", [])
    assert err.startswith(f"samestep: cannot publish {source}: ")
