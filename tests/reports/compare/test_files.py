"""The command `samestep compare`: its folder, its figures, its exit codes."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from bench.cli.compare import percentage
from bench.errors import UsageError
from reports import compare
from reports.compare.comparison import ComparedSides
from reports.compare.figure import MARKS, MOST_ROWS, figures, pages, title
from reports.drawing.files import texts
from reports.drawing.png import DESCRIPTION
from reports.drawing.style import ratio_ticks
from reports.results.slowdown import extra_percent
from reports.text import alternatives
from tests.reports.tables_of import tables_of
from tests.reports.two_runs import (
    longer,
    noisy_records,
    one_run,
    run_in,
    with_settings,
)


def tables_with(text, header):
    return [rows for rows in tables_of(text) if header in rows[0]]


PNG = b"\x89PNG\r\n\x1a\n"
BASE = noisy_records()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    where = tmp_path_factory.mktemp("runs")
    planted = [longer(one, 1.1, only="pytorch") for one in BASE]
    return {
        "base": str(run_in(where / "base", records=BASE)),
        "again": str(run_in(where / "again", seed=2)),
        # a copy of the run, so that its cells are compared round by round
        "slower": str(run_in(where / "slower", records=planted, run_id="base")),
    }


@pytest.fixture(scope="module")
def cells():
    records = [longer(record, 1.1, only="pytorch") for record in BASE]
    slower = one_run("slower", records=records, run_id="base")
    return compare.compare((one_run("base", records=BASE), slower)).cells


def strict(text):
    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def test_the_command_prints_markdown_or_json(folders, samestep):
    code, out, err = samestep("compare", folders["base"], folders["slower"])
    assert (code, err) == (0, "")
    assert out.startswith("# Comparison of 2 runs\n")
    assert "](figures/" not in out
    code, out, _ = samestep("compare", folders["base"], folders["slower"], "--json")
    claims = strict(out)["claims"]
    assert {one["verdict"] for one in claims if one["backend"] == "pytorch"} == {"SLOWER"}
    assert {one["verdict"] for one in claims if one["backend"] != "pytorch"} == {"SAME"}


def test_a_folder_gets_text_data_and_figures(folders, samestep, tmp_path):
    code, out, _ = samestep("compare", *folders.values(), "--out", str(tmp_path / "new"))
    assert (code, out) == (0, f"{tmp_path / 'new' / 'comparison.md'}\n")
    text = (tmp_path / "new" / "comparison.md").read_text("utf-8")
    names = {path.name for path in (tmp_path / "new" / "figures").iterdir()}
    cards = {f"card-{number}-{theme}" for number in (1, 2) for theme in ("light", "dark")}
    stems = {*cards, "ratios-1", "ratios-2"}
    assert names == {f"{stem}{suffix}" for stem in stems for suffix in (".png", ".svg")}
    assert alternatives(text).keys() == {
        *(f"figures/{card}.svg" for card in cards), "figures/ratios-1.png", "figures/ratios-2.png"
    }  # fmt: skip
    for path, words in alternatives(text).items():
        assert texts((tmp_path / "new" / path).read_bytes())[DESCRIPTION] == words
    assert [len(rows) for rows in tables_with(text, "speed-up")] == [4, 4]
    sides = compare.read(list(folders.values()))
    document = strict((tmp_path / "new" / "comparison.json").read_text("utf-8"))
    assert document == compare.as_json(compare.compare(sides))


def test_a_comparison_may_be_written_again_and_old_figures_go(folders, samestep, tmp_path):
    samestep("compare", *folders.values(), "--out", str(tmp_path / "new"))
    code, *_ = samestep(
        "compare", folders["base"], folders["again"], "--out", str(tmp_path / "new")
    )
    assert code == 0
    names = {one.stem for one in (tmp_path / "new" / "figures").iterdir()}
    assert names == {"card-1-light", "card-1-dark", "ratios-1"}


def test_a_folder_with_something_else_is_left_alone(folders, samestep, tmp_path):
    figure = tmp_path / "run" / "figures" / "mine.png"
    figure.parent.mkdir(parents=True)
    figure.write_bytes(b"mine")
    (tmp_path / "file").write_text("mine")
    for name in ("run", "file"):
        code, _, err = samestep(
            "compare", folders["base"], folders["again"], "--out", str(tmp_path / name)
        )
        assert code == 2
        assert err.startswith(f"samestep: {tmp_path / name} is in use. Expected: a new")
        assert err.count("\n") == 1
    assert figure.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("limit", "code"), [("5%", 1), ("10%", 1), ("10.5%", 0), ("20%", 0), ("0%", 1)]
)
def test_slower_by_so_much_fails(folders, samestep, limit, code):
    found, _, err = samestep("compare", folders["base"], folders["slower"], "--fail-slower", limit)
    assert found == code
    lines = err.splitlines()
    assert len(lines) == 2 * code
    for line in lines:
        assert line.startswith("samestep: pytorch (cpu) on mlp-512 (")
        assert "0.909x [" in line
        assert "] as fast in slower, 10 % more time: SLOWER" in line
        assert line.endswith(f"Expected: less than {limit[:-1]} % more")


def test_faster_same_and_unclear_never_fail(folders, samestep):
    for pair in (("slower", "base"), ("base", "again"), ("base", "base")):
        code, _, err = samestep("compare", *(folders[one] for one in pair), "--fail-slower", "0%")
        assert (code, err) == (0, "")


def test_unclear_passes_however_large_its_ratio(cells):
    claim = next(one.claim for one in cells if one.verdict == "SLOWER")
    told = [replace(one, claim=replace(claim, verdict="UNCLEAR")) for one in cells]
    assert not list(compare.slowdowns(told, Decimal(0)))


@pytest.mark.parametrize(
    ("ratio", "shown"), [(1.0949, 9), (1.0951, 10), (1.099, 10), (1.1049, 10), (2.0, 100)]
)
def test_the_digits_that_are_shown_decide(cells, ratio, shown):
    one = next(one for one in cells if one.verdict == "SLOWER")
    found = replace(one.comparison.ratio, value=ratio, low=ratio - 0.01, high=ratio + 0.01)
    assert extra_percent(found) == shown


def test_a_gate_that_had_nothing_to_judge_does_not_pass(folders, samestep, tmp_path):
    trials = [one.trial.trial() for one in BASE]
    others = [replace(one, cell=one.cell.but(batch_size=64)) for one in trials]
    other = str(run_in(tmp_path / "other", trials=others))
    code, _, err = samestep("compare", folders["base"], other, "--fail-slower", "10%")
    assert code == 1
    assert err == "samestep: --fail-slower has no cell to judge: none was compared\n"
    assert samestep("compare", folders["base"], other)[0] == 0


@pytest.mark.parametrize(
    "text", ["10", "0.1", "10 %", "%", "-5%", "1e1%", "10%%", "", "nan%", "٣%"]
)
def test_what_is_no_percentage_is_refused_in_one_line(text, folders, samestep):
    with pytest.raises(UsageError, match="Expected: a percentage such as 10%"):
        percentage(text)
    code, out, err = samestep("compare", folders["base"], folders["again"], f"--fail-slower={text}")
    assert (code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(
    "content",
    [None, "", "[]", "{}", "null", "not json", '{"a": NaN}', '{"schema_version": 2}', "\x00"],
)
def test_a_folder_without_a_run_gives_one_line(folders, samestep, tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    code, out, err = samestep("compare", folders["base"], str(tmp_path))
    assert (code, out) == (1, "")
    assert err.startswith("samestep: ")
    assert err.count("\n") == 1
    if content and "schema_version" in content:
        assert "Update samestep" in err


def test_another_schema_of_a_record_gives_one_line(folders, samestep, tmp_path):
    other = run_in(tmp_path / "other", records=BASE)
    path = next((other / "records").iterdir())
    path.write_text(path.read_text().replace('"schema_version":1', '"schema_version":2', 1))
    code, _, err = samestep("compare", folders["base"], str(other))
    assert (code, err.count("\n")) == (1, 1)
    assert "schema_version" in err
    assert "Update samestep" in err


def test_a_record_that_was_changed_gives_one_line(folders, samestep, tmp_path):
    other = run_in(tmp_path / "other", records=BASE)
    path = next((other / "records").iterdir())
    path.write_text(path.read_text().replace('"seed":1', '"seed":2', 1))
    code, _, err = samestep("compare", str(other), folders["base"])
    assert (code, err.count("\n")) == (1, 1)


def test_every_verdict_has_a_mark_of_its_own():
    from bench.stats import Verdict

    assert set(MARKS) == set(Verdict)
    assert len({shape for shape, *_ in MARKS.values()}) == len(Verdict)
    assert len({colour for _, colour, _ in MARKS.values()}) == len(Verdict)


def test_a_figure_has_so_many_rows_at_most(cells):
    many = [
        replace(one, other_results=(replace(one.other, cell=one.other.cell.but(batch_size=size)),))
        for size in range(1, 24)
        for one in cells
    ]
    found = pages(ComparedSides(sides=(), cells=tuple(many), means=()))
    assert [len(page.rows) for page in found] == [MOST_ROWS, 6]
    assert [page.file for page in found] == ["ratios-1.png", "ratios-2.png"]
    # both lanes of a cell stand on one page
    assert [len(page.items) for page in found] == [2 * MOST_ROWS, 12]
    drawn = dict(figures(found))
    assert all(drawn[page.file].startswith(PNG) for page in found)
    assert dict(figures(found)) == drawn


def test_refused_cells_are_in_no_figure():
    before = one_run("before", records=with_settings(BASE, dtype="float32"))
    after = one_run("after", records=with_settings(BASE, dtype="float16"))
    assert pages(compare.compare((before, after))) == ()


def test_few_trials_have_a_mark_without_an_interval():
    few = [one for one in BASE if one.trial.round < 3]
    trials = [one.trial.trial() for one in few]
    pair = [one_run(name, records=few, trials=trials) for name in ("$a$", "b")]
    (png, content), (svg, _) = figures(pages(compare.compare(pair)))
    assert (png, svg) == ("ratios-1.png", "ratios-1.svg")
    assert content.startswith(PNG)


def test_a_figure_names_hardware_runs_and_dates(cells):
    first, second = title(cells[0].matchup).splitlines()
    assert first == "Intel Xeon Processor, 2 cores"
    assert second == (
        "slower (2026-01-02, samestep 0.1.0) against base (2026-01-02, samestep 0.1.0)"
    )


@pytest.mark.parametrize(
    ("low", "high"), [(0.9, 1.12), (0.5, 1.2), (0.55, 3.5), (0.2, 3.0), (0.01, 40.0)]
)
def test_an_axis_has_a_few_round_marks(low, high):
    found = ratio_ticks(low, high)
    assert 3 <= len(found) <= 12
    assert any(abs(tick - 1) < 1e-9 for tick in found)
