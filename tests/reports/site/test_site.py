"""The static site: complete, well formed, safe, and with the figures of the reports."""

import base64
import hashlib
import re
import struct
from importlib import resources

import pytest

from bench.errors import RecordError, UsageError
from reports.report import pages as report_pages
from reports.report import write_report
from reports.results.report import Report
from reports.sections.columns import CELL_HEADERS
from reports.site import write_site
from reports.site.document import document, inline_html
from reports.text import NOTHING, picture, unescape
from tests.records import build_records, build_run, failed_record, plan, write_folder
from tests.reports.pages_of import Page
from tests.reports.tables_of import table_with

HOSTILE = "</td></details><script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:b)"
CREATED = {
    name: f"2026-0{month}-02T03:04:05+00:00"
    for month, name in enumerate(["early", "later", "trained", "a smoke"], 1)
}
FIGURE = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480)
OWN_FILES = resources.files("reports.site")


def fails(trial):
    """The convolutional network's last round fails with a reason that is an attack."""
    if trial.cell.workload == "cnn" and trial.round == 5:
        return failed_record(trial, "failed", HOSTILE)
    return None


def publish(directory):
    """Two runs to compare, one that has no cell in common with them, and one that ranks nothing."""
    timed = plan(rounds=6, epochs=2)
    runs = {
        "early": build_run(timed, created=CREATED["early"]),
        "later": build_run(timed, created=CREATED["later"]),
        "trained": build_run(
            plan(workloads=["mlp-1000"], rounds=0, epochs=2), created=CREATED["trained"]
        ),
        "a smoke": build_run(plan(rounds=1, epochs=1), created=CREATED["a smoke"], profile="smoke"),
    }
    for name, run in runs.items():
        records = build_records([one.trial() for one in run.trials], fails)
        report(write_folder(directory / name, run, records), Report(run, records))
    return directory


def report(folder, results):
    """Write the pages with figures that are headers alone, which is all that a page reads."""
    (folder / "figures").mkdir()
    for page, text in report_pages(results).items():
        (folder / page).write_text(text, encoding="utf-8")
        for name in re.findall(r"\]\((figures/.*?\.png)\)", text):
            (folder / name).write_bytes(FIGURE)
        for name in re.findall(r"figures/card-\w+\.svg", text):
            (folder / name).write_bytes(b"<svg/>")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    where = publish(tmp_path_factory.mktemp("published"))
    write_site(where)
    return where


@pytest.fixture(scope="module")
def pages(directory):
    paths = sorted(directory.rglob("*.html"))
    return {path.relative_to(directory).as_posix(): Page(path) for path in paths}


def test_every_page_of_a_report_is_a_page_of_the_site(pages):
    assert {"index.html", "compare.html", *(f"{name}/index.html" for name in CREATED)} < set(pages)
    assert {"early/details.html", "early/network-mlp-512.html"} < set(pages)


def test_it_returns_the_index(directory):
    assert write_site(directory) == directory / "index.html"


def test_every_page_is_well_formed(pages):
    for path, page in pages.items():
        assert page.problems == [], path
        assert len(set(page.ids)) == len(page.ids), path
        assert (page.tags["h1"], page.tags["main"]) == (1, 1), path


def test_every_link_leads_somewhere(pages):
    by_file = {page.path.resolve(): page for page in pages.values()}
    for path, page in pages.items():
        for target in page.targets:
            if target == "data:,":
                continue
            file = page.file_of(target)
            assert file.exists(), f"{path}: {target}"
            _, _, anchor = target.partition("#")
            assert not anchor or anchor in by_file[file].ids, f"{path}: {target}"


def test_every_figure_has_its_words_and_its_size(pages, directory):
    early = [page for path, page in pages.items() if path.startswith("early/")]
    figures = sorted((directory / "early" / "figures").glob("*.png"))
    # the size of the card, an SVG, is not in its first bytes
    assert sum(page.tags["img"] for page in early) == len(figures) + 1 > 1
    shown = [
        (name, value) for page in early for tag, name, value in page.attributes if tag == "img"
    ]
    assert all(value for _, value in shown)
    for name in ("alt", "src", "loading"):
        assert sum(one == name for one, _ in shown) == len(figures) + 1, name
    assert shown.count(("width", "640")) == shown.count(("height", "480")) == len(figures)


def test_text_of_a_record_stays_text(pages):
    assert "<script>alert(1)</script>" in pages["early/details.html"].text
    for path, page in pages.items():
        assert page.tags["script"] == 1, path
        assert not [one for one in page.attributes if one[1].startswith("on")], path
        assert not [one for one in page.targets if one.startswith("javascript")], path


def test_of_the_html_in_a_text_only_details_are_taken(tmp_path):
    text = f"# T\n\n{HOSTILE}\n\n<script>alert(1)</script>\n\n<b>x</b> <!-- c -->\n\n</details>\n"
    html = document(text, tmp_path).html
    assert set(re.findall(r"<(\w+)", html)) == {"h1", "p", "a"}


def test_the_light_variant_of_a_picture_is_taken(tmp_path):
    html = document(f"before\n\n{picture(HOSTILE, 'light.svg', 'dark.svg')}\n", tmp_path).html
    assert re.findall(r'src="([^"]*)"', html) == ["figures/light.svg"]
    assert "<script" not in html
    assert set(re.findall(r"<(\w+)", html)) == {"p", "a", "img"}


@pytest.mark.parametrize("path", ["javascript:a", 'x" onerror="a', "https://a.b/c", "//a.b/c"])
def test_a_picture_from_elsewhere_stays_text(tmp_path, path):
    text = picture("words", "light.svg", "dark.svg").replace("figures/light.svg", path)
    assert "<img" not in document(text, tmp_path).html


def test_details_open_and_close_together(tmp_path):
    inner = "<details><summary>in *it* <b></summary>\n\n| a |\n|---|\n| b |\n\n</details>"
    whole = document(f"<details><summary>out</summary>\n\n{inner}\n\n</details>\n", tmp_path).html
    assert whole.count("<details>") == whole.count("</details>") == 2
    assert "<summary>in <em>it</em> &lt;b&gt;</summary>" in whole
    assert "<td>b</td>" in whole
    alone = document("<details><summary>out</summary>\n\ntext\n", tmp_path).html
    assert "<details>" not in alone
    assert "&lt;details&gt;" in alone


def test_headings_have_the_anchors_that_github_makes(tmp_path):
    found = document("# A report: 1-2\n\n## Layers\n\n## Layers\n\n### `x` y\n", tmp_path)
    assert [one.anchor for one in found.headings] == ["a-report-1-2", "layers", "layers-1", "x-y"]
    assert [one.level for one in found.headings] == [1, 2, 2, 3]
    assert found.headings[3].text == "x y"


def test_within_a_page_headings_stand_deeper_and_apart(tmp_path):
    found = document("## Layers\n", tmp_path, prefix="a--", deeper=1)
    assert '<h3 id="a--layers">' in found.html


def test_links_between_reports_lead_to_their_pages(tmp_path):
    text = "[a](../b/report.md#layers) [c](report.md) [d](https://example.org/report.md)"
    html = document(text, tmp_path).html
    assert re.findall(r'href="([^"]*)"', html) == [
        "../b/index.html#layers", "index.html", "https://example.org/report.md"
    ]  # fmt: skip


def test_intervals_are_marked():
    assert inline_html("4.2 [3.8,\u00a05.0]") == '4.2 <span class="interval">[3.8,\u00a05.0]</span>'
    assert inline_html("a [b, c]") == "a [b, c]"


def test_the_same_runs_give_the_same_bytes(pages, directory):
    before = {path: page.path.read_bytes() for path, page in pages.items()}
    write_site(directory)
    assert {path: (directory / path).read_bytes() for path in pages} == before


def test_the_index_has_the_figures_of_the_reports(pages, directory):
    found = pages["index.html"].rows("full loop ms/step")
    columns = (*CELL_HEADERS, "images/s", "full loop ms/step", "step alone ms/step", "n")
    for name in ("early", "later", "trained", "a smoke"):
        report = (directory / name / "details.md").read_text(encoding="utf-8")
        accuracy = table_with(report, "test accuracy", "published")
        # a run that timed nothing has no table of speed
        untimed = [dict.fromkeys(columns, NOTHING) | row for row in accuracy]
        speed = untimed if name == "trained" else table_with(report, "full loop ms/step")
        rows = [row for row in found if row["run"] == name]
        assert len(rows) == len(speed) == len(accuracy) > 0
        for row, timed, trained in zip(rows, speed, accuracy, strict=True):
            for column in columns:
                assert row[column] == timed[column]
            mark = " *" if trained["trained"].endswith("*") else ""
            assert row["test accuracy"] == trained["test accuracy"] + mark


def test_the_index_lists_answers_first_and_of_these_the_newest(pages, directory):
    rows = pages["index.html"].rows("answer")
    assert [row["report"] for row in rows] == ["later", "early", "a smoke", "trained"]
    assert rows[2]["profile"] == "smoke run: not for citation"
    assert rows[1]["date"] == "2026-01-02"
    for row in rows:
        report = (directory / row["report"] / "report.md").read_text("utf-8")
        assert row["answer"] in unescape(report)


def test_two_runs_that_rank_are_compared_the_earlier_first(pages):
    page = pages["compare.html"]
    found = [value for _, name, value in page.attributes if name == "data-first"]
    assert found == ["early", "early", "later"]
    assert page.rows("speed-up")[0]["backend"] == "Keras on TensorFlow"
    assert "later against early (" in page.text
    assert page.text.count("These runs have no cell in common.") == 2
    assert "a smoke" not in page.text


def test_a_single_run_is_compared_with_nothing(tmp_path):
    write_folder(tmp_path / "one", build_run([]), [])
    write_report(tmp_path / "one")
    write_site(tmp_path)
    assert "needs two runs that rank" in (tmp_path / "compare.html").read_text(encoding="utf-8")


def test_a_run_without_a_report_is_named(tmp_path):
    write_folder(tmp_path / "one", build_run([]), [])
    with pytest.raises(RecordError, match=r"one/report\.md.*samestep report"):
        write_site(tmp_path)


def test_a_directory_without_runs_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"Expected: run\.json in sub-folders of"):
        write_site(tmp_path)


def test_a_browser_may_run_one_script_alone(pages):
    script = OWN_FILES.joinpath("script.js").read_bytes()
    assert b"</script" not in script
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    for page in pages.values():
        assert any(f"'sha256-{digest}'" in value for _, name, value in page.attributes)


def test_nothing_is_loaded_from_elsewhere(pages):
    style = OWN_FILES.joinpath("style.css").read_text("utf-8")
    assert "url(" not in style
    assert "@import" not in style
    for page in pages.values():
        assert not [target for target in page.targets if "//" in target]


def colours() -> dict[str, list[str]]:
    """The light and the dark value of each colour of the style sheet."""
    style = OWN_FILES.joinpath("style.css").read_text("utf-8")
    found = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", style)
    return {name: [light, dark] for name, light, dark in found}


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["page", "raised", "mark"])
@pytest.mark.parametrize(("ink", "least"), [("text", 4.5), ("quiet", 4.5), ("link", 4.5)])
def test_text_stands_out_from_its_ground(theme, ground, ink, least):
    assert contrast(colours()[ink][theme], colours()[ground][theme]) >= least


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_edges_of_controls_stand_out(theme):
    assert contrast(colours()["edge"][theme], colours()["page"][theme]) >= 3
