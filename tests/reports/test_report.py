"""What a report says of runs that are short, broken or incomplete, and the files it writes."""

import hashlib
import importlib
import json
import pkgutil

import pytest

from bench.errors import RecordError, UsageError
from bench.profiles import CERTIFICATE
from bench.record import seal
from bench.record.run import read_run
from bench.spec import Trial
from reports import drawing, sections
from reports import report as report_module
from reports.drawing import more_epochs, step_times, training
from reports.exports.summary_json import as_json
from reports.publishing.verify import verify
from reports.report import FIGURES, pages, write_report
from reports.results.content_hash import content_hash
from reports.results.names import framework
from reports.results.report import Report
from reports.sections import compiling
from reports.sections.order import DETAILS, SUMMARY
from reports.sections.workload import PARTS, definition, layers, published_results
from reports.text import escape, shell_list
from tests.records import (
    BACKENDS,
    build_record,
    build_records,
    build_run,
    failed_record,
    layer_table,
    plan,
    write_folder,
)
from tests.reports.scenarios import complete, smoke, troubled
from tests.reports.tables_of import compose, section_of, table_with

PNG = b"\x89PNG\r\n\x1a\n"
SVG = b"<?xml "
UPDATE = ("update", "float32")
STAMP = "smoke run: not for citation"


@pytest.fixture(scope="module")
def trouble():
    run, records = troubled()
    return compose(Report(run, records))


def reasons(text: str) -> dict[tuple[str, str, str], tuple[str, str]]:
    rows = table_with(section_of(text, "Configurations and trials without figures"), "status")
    return {
        (row["network"], row["framework"], row["status"]): (row["trials"], row["reason"])
        for row in rows
    }


def files(folder):
    return {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a stale figure, after its report was written once; and what was written."""
    folder = write_folder(tmp_path_factory.mktemp("run"), *smoke())
    (folder / "figures").mkdir()
    for name in ("curves-gone.png", "curves-gone.svg"):
        (folder / "figures" / name).write_bytes(b"old")
    report = write_report(folder)
    assert report == folder / "report.md"
    return folder, written_text(folder), files(folder)


def written_text(folder):
    return "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.md")))


def test_a_folder_gets_its_report_and_figures(written):
    _, text, figures = written
    cards = {"card-light", "card-dark"}
    drawn = {"step-time-cpu", "curves-mlp-1000", "steps-cpu", "phases-cpu"}
    pixels = {"confusion-mlp-1000", "wrong-in-all-mlp-1000"}
    pixels |= {f"images-mlp-1000_{BACKENDS[0]}_cpu_default_float32_b100"}
    svgs = {f"{name}.svg" for name in cards | drawn}
    assert set(figures) == {f"{name}.png" for name in cards | drawn | pixels} | svgs
    for name, content in figures.items():
        assert content.startswith(SVG if name in svgs else PNG)
        assert len(content) > 5_000
    assert all(f"](figures/{name}.png)" in text for name in drawn | pixels)
    assert all(f'"figures/{name}.svg"' in text for name in cards)


def test_the_same_records_give_the_same_bytes(written):
    folder, text, figures = written
    write_report(folder)
    assert written_text(folder) == text
    assert files(folder) == figures


def test_another_baseline_is_named_in_the_report_and_verified(tmp_path, monkeypatch):
    monkeypatch.setattr(report_module, "FIGURES", ())
    trials = plan(workloads=("mlp-512",), rounds=6, seeds=())
    folder = write_folder(tmp_path / "run", build_run(trials), build_records(trials))
    text = write_report(folder, "pytorch").read_text("utf-8")
    assert "Times as fast as PyTorch" in text
    row = table_with(text, "network", "PyTorch")[0]
    assert row["PyTorch"].strip("*") == "1x"
    assert verify(folder).differences == ()
    with pytest.raises(UsageError, match=r"Expected: keras-tensorflow, pytorch\. Received: 'jax'"):
        write_report(folder, "jax")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RecordError):
        write_report(tmp_path)


def test_records_that_cannot_be_looked_for_are_not_taken_for_missing(tmp_path):
    run, _ = smoke()
    write_folder(tmp_path, run, [])
    (tmp_path / "report.md").write_text("of all records", encoding="utf-8")
    (tmp_path / "records").touch()
    with pytest.raises(RecordError, match="Not a directory"):
        write_report(tmp_path)
    assert (tmp_path / "report.md").read_text("utf-8") == "of all records"


def test_a_run_without_any_record_still_has_a_report(tmp_path):
    run, _ = smoke()
    write_report(write_folder(tmp_path, run, []))
    text = written_text(tmp_path)
    assert "6 trials of 6 in the plan have no record (accuracy 2, parity 2, timing 2)" in text
    assert "0 of 2 configurations have all their figures" in text
    assert not list(tmp_path.glob("figures/*"))


def test_smoke_is_stamped_and_has_no_interval():
    text = compose(Report(*smoke()))
    assert f"> **{STAMP}.**" in text.split("## Summary")[0]
    row = table_with(text, "full loop ms/step")[0]
    assert "[" not in row["full loop ms/step"]
    assert row["n"] == "1"


def test_other_profiles_are_not_stamped(trouble):
    assert STAMP not in trouble


def test_an_interrupted_run_says_how_much_is_missing(trouble):
    assert "> **Incomplete run.** 3 trials of 40 in the plan have no record (timing 3)." in trouble


@pytest.mark.parametrize(
    ("key", "trials", "reason"),
    [
        (("mlp-512", "PyTorch", "failed_training"), "1", "the loss of epoch 2 is not finite"),
        (("cnn", "Keras on TensorFlow", "timed_out"), "1", "after 600 s"),
        (("cnn", "PyTorch", "killed"), "1", "after 600 s"),
        (("cnn", "PyTorch", "no record"), "1", "the trial has not run"),
        (("all", "Keras on JAX", "unavailable"), "–", "No module named 'jax'"),  # noqa: RUF001
        (
            ("mlp-512-256", "Keras on TensorFlow", "parity_failed"),
            "1",
            "initial differs; initial: 3, tolerance 0, at dense_0/kernel",
        ),
    ],
)
def test_every_trouble_has_its_reason(trouble, key, trials, reason):
    assert reasons(trouble)[key] == (trials, reason)


def test_a_cell_that_fails_parity_shows_no_figure(trouble):
    rows = table_with(trouble, "full loop ms/step")
    failed = next(r for r in rows if r["network"] == "mlp-512-256" and "Keras" in r["framework"])
    assert failed["full loop ms/step"] == failed["step alone ms/step"] == failed["n"] == "–"  # noqa: RUF001
    assert ("mlp-512-256", "Keras on TensorFlow", "withheld") in reasons(trouble)
    document = as_json(Report(*troubled()))
    cell = document["cells"][0]
    assert cell["statuses"] == ["ok", "parity_failed"]
    assert cell["speed"] is cell["accuracy"] is None


def test_flags_are_counted(trouble):
    row = next(r for r in table_with(trouble, "full loop ms/step") if r["network"] == "mlp-512")
    assert row["n"] == "2 (1 not steady)"
    flags = table_with(trouble, "flag")
    assert {(r["flag"], r["timing trials"]) for r in flags} == {
        ("contended", "1"),
        ("no_steady_state", "1"),
    }


def test_an_unsupported_cell_has_its_row():
    trials = plan(workloads=("cnn",), rounds=1)

    def refuse(trial: Trial):
        keras = trial.cell.backend == "keras-tensorflow"
        return failed_record(trial, "unsupported", "no such mode") if keras else None

    text = compose(Report(build_run(trials), build_records(trials, refuse)))
    assert reasons(text)[("cnn", "Keras on TensorFlow", "unsupported")][1] == "no such mode"


def test_hostile_text_stays_text(trouble):
    cell = reasons(trouble)[("mlp-1000", "Keras on TensorFlow", "failed")][1]
    assert cell == r"ValueError: &lt;b&gt;\|\`x\`\|&lt;/b&gt; second line"


def test_less_training_than_published_is_marked():
    row = table_with(compose(Report(*smoke())), "trained")[0]
    assert row["trained"] == r"1 of 10 epochs, 6,000 of 60,000 images \*"


def test_overfitting_is_noted_above_five_points():
    trials = plan(workloads=("mlp-512",), backends=("pytorch",), rounds=1)

    def overfit(trial: Trial):
        if trial.kind != "accuracy":
            return None
        good = build_record(trial).accuracy.model_dump()
        return build_record(trial, accuracy={**good, "final_train_accuracy": 1.0,
                                             "final_test_accuracy": 0.94})  # fmt: skip

    text = compose(Report(build_run(trials), build_records(trials, overfit)))
    assert "above 5 points is overfitting; so: PyTorch (cpu) (seed 1)." in text


def test_layer_tables_that_differ_are_both_shown():
    trials = plan(workloads=("mlp-512",), rounds=1)

    def other(trial: Trial):
        if trial.cell.backend == "pytorch":
            return None
        layers = layer_table(trial)
        layers["layers"][0]["count"] += 1
        return build_record(trial, parameters={**layers, "total": layers["total"] + 1})

    text = section_of(compose(Report(build_run(trials), build_records(trials, other))), "mlp-512")
    assert text.count("**Configurations differ.**") == 2
    assert "401,921" in text


def test_settings_list_what_differs_between_workloads():
    trials = plan(rounds=1, backends=("pytorch",))

    def set_threads(trial: Trial):
        threads = 1 if trial.cell.workload == "cnn" else 2
        settings = {"requested": {"precision": "float32"},
                    "effective": {"threads": threads, "precision": "tf32"}}  # fmt: skip
        return build_record(trial, settings=settings)

    text = compose(Report(build_run(trials), build_records(trials, set_threads)))
    rows = {r["setting"]: r for r in table_with(text, "setting", "PyTorch")}
    assert rows["threads"]["PyTorch"] == "1 (1); 2 (1)"
    unmet = table_with(text, "requested", "actual")[0]
    assert (unmet["setting"], unmet["requested"], unmet["actual"]) == (
        "precision", "float32", "tf32",
    )  # fmt: skip


def test_a_certificate_in_float64_is_no_setting_of_the_cell():
    trials = plan(workloads=("mlp-512",), backends=("keras-torch",), rounds=1, parity=CERTIFICATE)
    requested = {"precision": "float32"}

    def exact(trial: Trial):
        precision = (
            trial.cell.execution.precision if trial.parity is None else trial.parity.precision
        )
        told = {"remedies": "a table changed"} if precision == "float64" else {}
        settings = {"requested": requested, "effective": {"precision": precision, **told}}
        return build_record(trial, settings=settings)

    text = compose(Report(build_run(trials), build_records(trials, exact)))
    rows = {
        row["setting"]: row[framework("keras-torch")]
        for row in table_with(text, "setting", framework("keras-torch"))
    }
    assert (rows["precision"], rows.get("remedies")) == ("float32", None)
    assert "the actual value is another one" not in text
    assert "float64: keras-torch in float64: a table changed." in text


def test_a_workload_that_is_not_known_here_is_shown_by_its_records():
    (trial, *_) = plan(workloads=("mlp-512",), backends=("pytorch",), seeds=())
    record = build_record(trial).model_dump(exclude={"sha256"})
    record["trial"]["workload"] = "from-a-plug-in"
    run = build_run([trial]).model_copy(update={"trials": [seal(record).trial]})
    text = compose(Report(run, [seal(record)]))
    assert table_with(text, "full loop ms/step")[0]["network"] == "from-a-plug-in"
    assert "does not know this network" in section_of(text, "from-a-plug-in")


def test_a_trial_without_a_lane_leaves_the_others():
    trials = plan(workloads=("mlp-512",), backends=("pytorch",), seeds=(), rounds=2)

    def no_native(trial: Trial):
        lanes = {**build_record(trial).lanes.model_dump(), "native": None}
        return build_record(trial, lanes=lanes)

    text = compose(Report(build_run(trials), build_records(trials, no_native)))
    row = table_with(text, "full loop ms/step")[0]
    assert row["full loop ms/step"] == row["images/s"] == "–"  # noqa: RUF001
    assert row["step alone ms/step"] != "–"  # noqa: RUF001


def test_the_command_to_repeat_names_what_ran():
    text = section_of(compose(Report(*smoke())), "How to repeat it")
    assert "--profile smoke" in text
    assert "--workload mlp-1000 " in text
    assert "--backend keras-tensorflow,pytorch --device cpu\n" in text
    assert shell_list("a b") == shell_list("$(x)") == shell_list("") == "..."


def test_the_content_hash_is_that_of_run_json_and_of_the_records_in_the_order_of_the_plan(tmp_path):
    run, records = smoke()
    write_folder(tmp_path, run, records)
    lines = "".join(f"{record.sha256}\n" for record in records)
    expected = hashlib.sha256((tmp_path / "run.json").read_bytes() + lines.encode()).hexdigest()
    assert content_hash(read_run(tmp_path), records[::-1]) == expected


def test_a_run_is_cited_with_its_machine_date_and_hash():
    run, records = complete()
    environment = run.environment.model_copy(update={"cpu": "A_CPU {50 %} \\~"})
    run = run.model_copy(update={"environment": environment})
    entry = section_of(compose(Report(run, records)), "How to cite")
    assert r"title = {samestep report: A\_CPU \{50 \%\} , 2 logical cores, 7.75 GiB" in entry
    assert "; 2026-01-02}" in entry
    assert "year = {2026}" in entry
    assert f"Content hash {content_hash(run, records)}" in entry


def test_a_smoke_run_is_not_cited():
    entry = section_of(compose(Report(*smoke())), "How to cite")
    assert "@misc" not in entry
    assert "a smoke run is not for citation" in entry


def test_absent_rungs_are_named():
    trials = plan(workloads=("mlp-512",), backends=("pytorch",), rounds=1)

    def exact_alone(trial: Trial):
        parity = build_record(trial).parity.model_dump()
        return build_record(trial, parity={**parity, "rungs": parity["rungs"][:3]})

    text = compose(Report(build_run(trials), build_records(trials, exact_alone)))
    said = section_of(text, "Parity checks")
    assert "hold no check forward, gradient, update, fit, fit loss, trajectory, tanh traj" in said


def test_a_run_without_a_rung_says_that_nothing_was_checked():
    run, _ = smoke()
    said = section_of(compose(Report(run, [])), "Parity checks")
    assert said.strip() == "No record holds a parity check: nothing was checked."


def test_rungs_in_float64_that_were_left_out_are_named():
    absent = "This profile leaves the checks in float64 out."
    assert absent in section_of(compose(Report(*smoke())), "Parity checks")
    assert absent not in compose(Report(*complete()))


def test_the_worst_of_a_rung_is_shown_with_its_cells(trouble):
    rows = table_with(section_of(trouble, "Parity checks"), "margin")
    by_rung = {(row["check"], row["precision"], row["tolerance"]): row for row in rows}
    failed = by_rung["gradient", "float32", "5e-05"]
    assert (failed["worst measured"], failed["margin"]) == ("0.0099", "failed")
    assert failed["passed"] == "7 of 8"
    # the cell that failed the gradient came no further; RMSprop and Adam have gates of their own
    updates = [row["passed"] for key, row in by_rung.items() if key[:2] == UPDATE]
    assert updates == ["2 of 2", "5 of 5"]
    assert by_rung["gradient", "float64", "1e-13"]["passed"] == "8 of 8"


def test_a_divergence_is_named_once_with_the_trials_that_did_not_run(trouble):
    section = section_of(trouble, "Configurations and trials without figures")
    rows = [row for row in table_with(section, "status") if row["network"] == "mlp-1000"]
    why = "rung gradient: measured 0.0099, gate 5e-05: dense_0/kernel"
    reasons = {(row["trial"], row["reason"]) for row in rows if row["status"] == "parity_failed"}
    skipped = f"not run: {why}"
    assert reasons == {("parity", why), ("accuracy", skipped), ("timing", skipped)}


def test_json_is_strict_and_complete():
    run, records = troubled()
    report = Report(run, records)
    document = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert len(document["cells"]) == len(report.rows) == 8
    assert document["citable"] is True
    assert " ".join(map(escape, document["headline"])) in pages(report)["report.md"]
    (speedups,) = document["speedups"]
    (standings,) = report.standings
    assert speedups["baseline"] == standings.baseline
    assert [one["speedup"]["value"] for one in speedups["geometric_means"]] == [
        mean.speedup.value for mean in standings.means
    ]
    assert [one["verdict"] for one in speedups["configurations"]] == [
        standing.verdict for standing in standings.cells
    ]


def test_long_curves_are_drawn_as_well():
    trials = plan(workloads=("mlp-512",), backends=("pytorch",), rounds=0, epochs=25)
    report = Report(build_run(trials), build_records(trials))
    drawn = [name for one in (step_times, training, more_epochs) for name, _ in one.figures(report)]
    assert drawn == ["curves-mlp-512.png", "curves-mlp-512.svg"]


def functions(package, name):
    """The functions of this name in the modules of a package."""
    found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    modules = [importlib.import_module(one.name) for one in found]
    return {getattr(module, name) for module in modules if hasattr(module, name)}


def test_every_section_and_every_figure_has_its_place_in_a_report():
    for places, written in (
        ((*SUMMARY, *DETAILS[:-1]), functions(sections, "section")),
        (FIGURES, functions(drawing, "figures")),
        (
            (*PARTS, compiling.part),
            functions(sections, "part") | {definition, layers, published_results},
        ),
    ):
        assert len(places) == len(set(places))
        assert set(places) == written
