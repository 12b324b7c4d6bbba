"""Verification: whatever is changed in a run's folder, however little, is a difference."""

import io
import json
import random
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure
from PIL import Image

from bench.profiles import CERTIFICATE
from bench.record import as_line, digest, read_record, seal, write_record
from bench.record.archive import ARCHIVE, write_archive
from bench.record.run import read_run
from bench.record.stored import stored_records
from reports.drawing.files import add_description, as_png, as_svg, texts
from reports.drawing.style import DRAWN_BY
from reports.publishing import verify as module
from reports.publishing.verify import verify
from reports.report import write_report
from tests.records import build_records, build_run, certified, plan, write_folder


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A run with certificates, timings and trainings, its report and its figures."""
    trials = plan(workloads=("mlp-512",), rounds=2, epochs=2, parity=CERTIFICATE)
    records = certified(build_records(trials))
    folder = write_folder(tmp_path_factory.mktemp("run"), build_run(trials), records)
    write_report(folder)
    return folder


FORMS = ["step-time-cpu.png", "step-time-cpu.svg"]


@pytest.fixture
def run_folder(written, tmp_path, monkeypatch) -> Path:
    """A copy to damage. Its figures are those of the original, not drawn for every test."""
    figures = [(path.name, path.read_bytes()) for path in (written / "figures").iterdir()]
    monkeypatch.setattr(module, "figures", lambda report, text: figures)
    return shutil.copytree(written, tmp_path / "run")


def pack(folder: Path) -> Path:
    """The records into an archive, as in a run that is published."""
    run = read_run(folder)
    lines = [stored.content for stored in stored_records(folder, run)]
    shutil.rmtree(folder / "records")
    write_archive(folder / ARCHIVE, lines)
    return folder


def places(folder: Path) -> set[str]:
    return {one.file for one in verify(folder).differences}


def a_record(folder: Path, kind: str = "timing") -> Path:
    return sorted((folder / "records").glob(f"{kind}-*.json"))[0]


def change_a_digit(path: Path, draw: random.Random) -> None:
    text = path.read_text("utf-8")
    at = draw.choice([found.start() for found in re.finditer("[0-9]", text)])
    other = draw.choice([digit for digit in "0123456789" if digit != text[at]])
    path.write_text(f"{text[:at]}{other}{text[at + 1 :]}", encoding="utf-8")


def test_an_untouched_run_is_verified(written):
    found = verify(written)
    assert found.differences == found.notes == ()
    assert found.records == 10
    assert f"Content hash: `{found.content_hash}`" in (written / "details.md").read_text("utf-8")


def test_so_is_one_with_an_archive(run_folder):
    assert verify(pack(run_folder)).differences == ()


@pytest.mark.parametrize("seed", range(50))
def test_any_other_digit_is_a_difference(run_folder, seed):
    draw = random.Random(seed)
    records = sorted((run_folder / "records").iterdir())
    pages = sorted(run_folder.glob("*.md"))
    files = [draw.choice(pages), run_folder / "run.json", draw.choice(records)]
    change_a_digit(files[seed % 3], draw)
    assert verify(run_folder).differences


@pytest.mark.parametrize("name", ["run.json", "records"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_digit_that_no_float_holds_is_a_difference(run_folder, name, packed):
    path = run_folder / name if name == "run.json" else a_record(run_folder)
    text, added = re.subn(r"(\d\.\d*[1-9])(?=[,}\n])", r"\g<1>00000000000000000001",
                          path.read_text("utf-8"), count=1)  # fmt: skip
    assert added == 1
    path.write_text(text, "utf-8")
    (one,) = verify(pack(run_folder) if packed else run_folder).differences
    assert one.file.startswith("run.json" if name == "run.json" else "records")
    assert "00000000000000000001" in one.found
    assert "00000000000000000001" not in one.expected


def test_the_line_is_named_with_what_was_expected(run_folder):
    report = run_folder / "details.md"
    lines = report.read_text("utf-8").split("\n")
    at = next(number for number, line in enumerate(lines) if "407,050" in line)
    lines[at] = lines[at].replace("407,050", "407,051")
    report.write_text("\n".join(lines), encoding="utf-8")
    (one,) = verify(run_folder).differences
    assert one.place == f"details.md, line {at + 1}"
    assert "407,050" in one.expected
    assert "407,051" in one.found
    assert "407,051" not in one.expected


def test_a_removed_record_is_a_difference(run_folder):
    a_record(run_folder).unlink()
    assert "report.md" in places(run_folder)


def test_a_file_that_no_trial_left_is_a_difference(run_folder):
    shutil.copy(a_record(run_folder), run_folder / "records" / "timing-more.json")
    assert places(run_folder) == {"records/timing-more.json"}


def test_a_record_that_was_altered_and_sealed_again_is_a_difference(run_folder):
    path = a_record(run_folder)
    document = json.loads(path.read_bytes())
    document["lanes"]["native"]["slice_seconds"][0] *= 0.5
    write_record(seal(document), path)
    read_record(path)
    assert places(run_folder) == {"report.md", "details.md", "network-mlp-512.md"}


def test_a_certificate_that_was_altered_and_sealed_again_no_longer_certifies(run_folder):
    path = a_record(run_folder, "parity")
    document = json.loads(path.read_bytes())
    document["parity"]["rungs"][3]["measured"] *= 0.5
    document["sha256"] = digest(document)
    path.write_bytes(as_line(document))
    differences = [one for one in verify(run_folder).differences if not one.file.endswith(".md")]
    assert {one.where for one in differences} == {"parity.certificate_sha256"}
    assert document["sha256"] in {one.expected for one in differences}


def test_values_that_are_valid_and_absurd_are_a_difference(run_folder, monkeypatch):
    def divide(*_):
        return 1 / 0

    monkeypatch.setattr(module, "pages", divide)
    (one,) = verify(run_folder).differences
    assert one.found == (
        f"cannot make figures of {run_folder}. Expected: values as a run measures them. Received: "
        "ZeroDivisionError: division by zero. If they were not changed, please report this"
    )


def test_a_run_without_run_json_or_report_is_a_difference(run_folder):
    (run_folder / "report.md").unlink()
    assert [one.expected for one in verify(run_folder).differences] == ["a file"]
    (run_folder / "run.json").unlink()
    assert places(run_folder) == {"run.json or a record"}


# figures


def figures_in(folder: Path) -> tuple[Path, Path]:
    first, second, *_ = sorted((folder / "figures").iterdir())
    return first, second


def test_an_added_figure_is_a_difference(run_folder):
    shutil.copy(figures_in(run_folder)[0], run_folder / "figures" / "more.png")
    assert places(run_folder) == {"figures/more.png"}


def test_a_missing_figure_is_a_difference(run_folder):
    gone = figures_in(run_folder)[0]
    gone.unlink()
    assert places(run_folder) == {f"figures/{gone.name}"}


def test_swapped_figures_are_differences(run_folder):
    first, second = figures_in(run_folder)
    first.rename(run_folder / "first.png")
    second.rename(first)
    (run_folder / "first.png").rename(second)
    assert places(run_folder) == {f"figures/{first.name}", f"figures/{second.name}"}


@pytest.mark.parametrize("name", FORMS)
def test_another_picture_under_the_same_text_is_a_difference(run_folder, name):
    path = run_folder / "figures" / name
    path.write_bytes(path.read_bytes()[:-30])
    (one,) = verify(run_folder).differences
    assert one.where == "picture"


def drawn_by_another_version(path: Path) -> None:
    other = DRAWN_BY.replace("matplotlib 3", "matplotlib 2")
    content = path.read_bytes()
    assert content.count(DRAWN_BY.encode()) == 1
    path.write_bytes(content.replace(DRAWN_BY.encode(), other.encode()))


@pytest.mark.parametrize("name", FORMS)
def test_pictures_of_other_versions_are_not_compared(run_folder, name):
    path = run_folder / "figures" / name
    drawn_by_another_version(path)
    found = verify(run_folder)
    assert found.differences == ()
    (note,) = found.notes
    assert note.startswith(f"figures/{path.name}: pixels not compared: drawn by matplotlib 2")


@pytest.mark.parametrize("name", FORMS)
def test_what_they_show_is_compared(run_folder, name):
    path = run_folder / "figures" / name
    drawn_by_another_version(path)
    path.write_bytes(path.read_bytes().replace(b"Bars of the", b"Cars of the"))
    (one,) = verify(run_folder).differences
    assert one.where == "Description"


@pytest.mark.parametrize(("name", "key"), [(FORMS[0], b"Software"), (FORMS[1], b"dc:creator")])
def test_a_figure_that_does_not_tell_what_drew_it_is_a_difference(run_folder, name, key):
    path = run_folder / "figures" / name
    path.write_bytes(path.read_bytes().replace(key, key.swapcase()))
    assert places(run_folder) == {f"figures/{path.name}"}


def test_every_figure_says_what_it_shows(written):
    for path in (written / "figures").iterdir():
        told = texts(path.read_bytes())
        assert told["Software"] == DRAWN_BY
        assert "table " in told["Description"]
        twin = path.with_suffix(".svg")
        assert not twin.exists() or texts(twin.read_bytes()) == told


def test_a_description_may_hold_any_letter():
    content = add_description(as_png(Figure(figsize=(1, 1))), "µs × 微")  # noqa: RUF001
    assert Image.open(io.BytesIO(content)).text["Description"] == "µs × 微"  # noqa: RUF001
    assert texts(content) == {"Description": "µs × 微", "Software": DRAWN_BY}  # noqa: RUF001


def test_the_description_of_an_svg_is_text_and_no_markup():
    words = "a < b & </desc>\\1 × 微"  # noqa: RUF001
    content = add_description(as_svg(Figure(figsize=(1, 1))), words)
    assert ElementTree.fromstring(content).findtext("{http://www.w3.org/2000/svg}desc") == words
    assert texts(content) == {"Description": words, "Software": DRAWN_BY}


# the command


def test_the_command_verifies_one_run_or_several(samestep, run_folder):
    code, out, _ = samestep("verify", str(run_folder))
    assert (code, out.count("\n")) == (0, 1)
    assert ": verified: 10 records, content hash " in out
    other = shutil.copytree(run_folder, run_folder.with_name("zebra"))
    change_a_digit(other / "report.md", random.Random(1))
    code, out, _ = samestep("verify", str(run_folder.parent))
    assert code == 1
    assert f"{run_folder}: verified" in out
    assert re.search(rf"{other}: 1 difference\n  report\.md, line \d+\n    - .*\n    \+ .*\n$", out)


def test_the_command_answers_a_machine(samestep, run_folder):
    a_record(run_folder).unlink()
    code, out, _ = samestep("verify", str(run_folder), "--json")
    answer = json.loads(out)
    assert (code, answer["verified"]) == (1, False)
    (run,) = answer["runs"]
    assert run["folder"] == str(run_folder)
    assert run["differences"][0].keys() == {"file", "where", "expected", "found"}


def test_a_folder_without_runs_is_refused(samestep, tmp_path):
    code, out, err = samestep("verify", str(tmp_path))
    assert (code, out) == (1, "")
    assert err.startswith(f"samestep: {tmp_path} holds no run. Expected: ")
