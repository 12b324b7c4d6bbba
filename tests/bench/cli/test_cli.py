"""The command line has the right answers, refusals and exit codes."""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from backends import DEFAULT_BACKENDS, all_backends
from bench import __version__
from bench.cli import options, run
from bench.errors import UsageError
from bench.profiles import CERTIFICATE, PROFILES, select_profile
from bench.record import seal
from bench.record.folder import RunFolder
from bench.run import carry_out
from bench.workloads import WORKLOADS
from reports import report
from tests.records import build_record, build_run, failed_record, plan, write_folder

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def run_python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def time_list() -> tuple[float, "subprocess.CompletedProcess[str]"]:
    before = processor_seconds()
    done = run_python("-X", "importtime", "-m", "bench", "list", "--json")
    return processor_seconds() - before, done


def test_list_answers_quickly_and_imports_little():
    # the best of three; the first that is quick enough will do
    quick = next(filter(lambda run: run[0] < 1.5, (time_list() for _ in range(3))), None)
    assert quick is not None, "samestep list took 1.5 s of processor time in each of three runs"
    _, done = quick
    assert done.returncode == 0
    assert {row["name"] for row in json.loads(done.stdout)["workloads"]} == WORKLOADS.keys()
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "bench.cli" in loaded
    slow = {"torch", "tensorflow", "keras", "jax", "scipy", "matplotlib", "psutil", "numpy"}
    assert not slow & loaded
    # typer imports pydantic; none of our models is built
    assert not {"bench.record", "bench.run.runner", "reports"} & loaded


def test_list_shows_workloads_backends_and_profiles(samestep):
    code, out, err = samestep("list")
    assert (code, err) == (0, "")
    for name in (*WORKLOADS, *all_backends(), *PROFILES):
        assert re.search(rf"^{name} ", out, re.MULTILINE), name
    # the published results, and the numbers of parameters with separators
    assert "535,818" in out
    assert "0.9806" in out


def test_list_answers_in_json(samestep):
    _, out, _ = samestep("list", "--json")
    answer = json.loads(out)
    assert {row["name"]: row["parameters"] for row in answer["workloads"]} == {
        name: workload.parameter_total for name, workload in WORKLOADS.items()
    }
    defaults = [row["name"] for row in answer["backends"] if row["default"]]
    assert tuple(defaults) == DEFAULT_BACKENDS
    assert [row["name"] for row in answer["profiles"]] == list(PROFILES)


def test_the_version_is_printed(samestep):
    assert samestep("--version")[:2] == (0, f"samestep {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "expected", "received"),
    [
        (["--workload", "mlp-9"], "Expected: mlp-512-256, mlp-512", "Received: mlp-9"),
        (["--workload", "mlp-512,nope"], "Expected: mlp-512-256, mlp-512", "Received: nope"),
        (["--backend", "theano"], "Expected: all, keras-tensorflow, ", "Received: theano"),
        (["--profile", "quick"], "Expected: one of smoke, standard, full", "Received: 'quick'"),
        (["--device", "cuda:9999"], "Expected: one of cpu", "Received: cuda:9999"),
        (["--device", "tpu"], "Expected: one of cpu", "Received: tpu"),
        (["--rounds", "-1"], "Expected: 0 or more", "Received: -1"),
        (["--seeds", "one"], "Expected: numbers such as 0,1,2", "Received: 'one'"),
        (["--python", "pytorch"], "Expected: a Python", "Received: ''"),
        (["--python", "pytorch=/nowhere/python"], "Expected: a Python",
         "Received: '/nowhere/python'"),
        (["--python", f"pytorch={ROOT}"], "Expected: a Python", f"Received: '{ROOT}'"),
        (["--python", "theano=python3"], "keras-tensorflow, ", "theano"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_an_unknown_name_is_refused_with_the_known_names(
    samestep, tmp_path, arguments, expected, received
):
    code, out, err = samestep("run", *arguments, "--out", str(tmp_path / "run"))
    assert (code, out) == (2, "")
    assert err.startswith("samestep: ")
    assert err.count("\n") == 1
    assert expected in err
    assert received in err
    assert not (tmp_path / "run").exists()


def test_an_interpreter_belongs_to_one_backend():
    with pytest.raises(UsageError):
        options.select_interpreters([f"all={sys.executable}"])


def test_resume_needs_a_run(samestep, tmp_path):
    code, _, err = samestep("run", "--resume", str(tmp_path))
    assert code == 1
    assert f"{tmp_path} holds no run. " in err


def test_control_characters_of_a_file_do_not_reach_the_terminal(samestep, tmp_path):
    folder = write_folder(tmp_path / "run", build_run(plan(rounds=1)), [])
    document = json.loads((folder / "run.json").read_bytes())
    (folder / "run.json").write_text(json.dumps({**document, "\x1b[2J\u202e": 1}), "utf-8")
    code, _, error = samestep("report", str(folder))
    assert code == 1
    assert error.startswith("samestep: ")
    assert "[2J : Extra inputs" in error
    assert error.rstrip("\n").isprintable()


def test_a_folder_that_is_in_use_is_refused(samestep, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    code, _, err = samestep("run", "--out", str(tmp_path))
    assert code == 2
    assert f"{tmp_path} is in use. Expected: a new or empty folder" in err
    assert f"--resume {tmp_path}" in err
    assert (tmp_path / "run.json").read_text() == "{}"


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(UsageError, match="is in use"):
        RunFolder(tmp_path / "run").require_new()


def test_a_new_or_empty_folder_is_accepted(tmp_path):
    RunFolder(tmp_path).require_new()
    RunFolder(tmp_path / "run").require_new()


@pytest.mark.parametrize(
    ("values", "parts"),
    [(None, []), ([], []), (["a,b", "c"], ["a", "b", "c"]), (["a,,b,"], ["a", "b"])],
)
def test_options_may_be_joined_by_commas(values, parts):
    assert options.split(values) == parts


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        ([], DEFAULT_BACKENDS),
        (["all"], tuple(all_backends())),
        (["pytorch"], ("pytorch",)),
        (["pytorch", "keras-tensorflow", "pytorch"], ("pytorch", "keras-tensorflow")),
    ],
)
def test_backends_are_selected(names, selected):
    assert options.select_backends(names) == selected


def test_devices_are_selected():
    assert options.select_devices(["cpu", "cpu"]) == ("cpu",)
    assert options.select_devices([])[0] == "cpu"


def test_a_profile_can_be_adjusted():
    standard = select_profile("standard")
    assert run.adjust(standard, None, []) is standard
    adjusted = run.adjust(standard, 3, ["1", "2", "1"])
    assert (adjusted.rounds, adjusted.seeds) == (3, (1, 2))
    assert adjusted.most_rounds == 0
    assert run.adjust(standard, None, [], extend=True).most_rounds == 30
    assert adjusted.blocks == standard.blocks


def test_each_backend_has_this_interpreter_unless_it_has_its_own(tmp_path):
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    interpreters = options.select_interpreters([f"pytorch={link}"])
    # not resolved: the Python of an environment is a link
    assert interpreters == {**dict.fromkeys(all_backends(), sys.executable), "pytorch": str(link)}


def test_an_interpreter_may_be_in_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    interpreters = options.select_interpreters(["pytorch=./python"])
    assert interpreters["pytorch"] == str(tmp_path / "python")


GOOD = build_record(plan(rounds=1)[0])


def record_with(status: str):
    return failed_record(plan(rounds=1)[0], status, "a reason")


@pytest.mark.parametrize(
    ("statuses", "code", "code_when_named"),
    [
        (["ok"], 0, 0),
        (["ok", "ok"], 0, 0),
        (["ok", "unavailable"], 0, 1),
        (["unavailable"], 1, 1),
        ([], 1, 1),
        *(
            (["ok", status], 1, 1)
            for status in (
                *("unsupported", "parity_failed", "failed", "failed_training", "timed_out"),
                "killed",
            )
        ),
    ],
    ids=str,
)
def test_the_exit_code_says_whether_all_requested_trials_ran(statuses, code, code_when_named):
    records = [GOOD if status == "ok" else record_with(status) for status in statuses]
    assert carry_out.exit_code(records, len(records), {"unavailable"}) == code
    assert carry_out.exit_code(records, len(records), set()) == code_when_named
    assert carry_out.exit_code(records, len(records) + 1, {"unavailable"}) == 1


def test_a_run_with_only_a_certificate_is_exit_code_1():
    certificate = build_record(
        next(trial for trial in plan(rounds=1, parity=CERTIFICATE) if trial.kind == "parity")
    )
    records = [certificate, record_with("unavailable")]
    assert carry_out.exit_code(records, len(records), {"unavailable"}) == 1
    assert carry_out.exit_code([*records, GOOD], 3, {"unavailable"}) == 0


def test_an_interruption_that_no_command_handles_ends_with_130(samestep, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(options, "select_backends", interrupt)
    code, _, err = samestep("run")
    assert code == options.EXIT_INTERRUPTED
    assert "Traceback" not in err


def test_statuses_are_counted():
    assert carry_out.count_statuses([GOOD, record_with("killed"), GOOD]) == {"killed": 1, "ok": 2}


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    trials = plan(workloads=["mlp-512"], rounds=1, epochs=1)
    records = [build_record(trial) for trial in trials]
    return write_folder(tmp_path_factory.mktemp("run"), build_run(trials), records)


def test_a_report_is_written_again_from_the_records(samestep, run_folder, monkeypatch):
    # tests/reports tests the figures; here they would only take time
    monkeypatch.setattr(report, "FIGURES", ())
    code, out, err = samestep("report", str(run_folder))
    assert (code, err) == (0, "")
    assert out == f"{run_folder / 'report.md'}\n"
    assert (run_folder / "report.md").stat().st_size > 1000


def test_a_report_neither_writes_nor_removes_figures_through_a_link(samestep, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "mine.png").write_bytes(b"mine")
    trials = plan(workloads=["mlp-512"], rounds=1, epochs=1)
    run = write_folder(
        tmp_path / "run", build_run(trials), [build_record(trial) for trial in trials]
    )
    (run / "figures").symlink_to(pictures)
    code, out, err = samestep("report", str(run))
    assert (code, out) == (1, "")
    assert err.startswith(f"samestep: {run / 'figures'} is a link. Expected: ")
    assert [path.read_bytes() for path in pictures.iterdir()] == [b"mine"]
    assert not (run / "report.md").exists()


def test_values_that_allow_no_figure_are_refused_with_one_line(samestep, tmp_path):
    (trial,) = plan(workloads=("mlp-512",), backends=("pytorch",), rounds=0)
    record = build_record(trial).model_dump(exclude={"sha256"})
    record["accuracy"]["epochs"] = []
    folder = write_folder(tmp_path / "run", build_run([trial]), [seal(record)])
    code, out, err = samestep("report", str(folder))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"samestep: cannot make figures of {folder}")


@pytest.mark.parametrize("error", [ZeroDivisionError, OverflowError, IndexError, ValueError])
def test_compare_refuses_values_that_allow_no_figure(samestep, run_folder, monkeypatch, error):
    def fail(*_: object) -> None:
        raise error("absurd")

    monkeypatch.setattr("reports.compare.compare", fail)
    code, out, err = samestep("compare", str(run_folder), str(run_folder))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert f"Received: {error.__name__}: absurd" in err


def test_a_report_answers_in_json(samestep, run_folder):
    code, out, _ = samestep("report", str(run_folder), "--json")
    assert code == 0
    assert json.loads(out)
