"""The doctor judges whether a machine is fit to measure on, from numbers that it reads."""

import io
import json
import math
import re
import time
import warnings
from collections import namedtuple
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console

from bench import mnist
from bench.cli import doctor as command
from bench.machine import cgroups, doctor, environment, lock, look
from bench.machine.doctor import judge
from bench.machine.lock import MACHINE, hold
from bench.record import preflight
from bench.record.flags import MOST_OTHER_SHARE, MOST_STOLEN_SHARE
from bench.record.preflight import SeenModel
from bench.record.run import read_run
from bench.run import carry_out, display
from reports import report

GPU: dict[str, Any] = {
    "device": "cuda:0", "processes": 0, "busy_share": 0.0, "celsius": 40, "slowed_by": [],
}  # fmt: skip
QUIET: dict[str, Any] = {
    "seconds": 5.0,
    "cores": 8,
    "allowed_cores": 8.0,
    "other_cpu_share": 0.004,
    "stolen_share": 0.0,
    "governors": ["performance"],
    "available_memory_bytes": 12_000_000_000,
    "swap_used_bytes": 300_000_000,
    "swap_moved_bytes": 0,
    "free_disk_bytes": 72_000_000_000,
    "on_battery": False,
    "gpus": [GPU],
    "lock_holders": [],
}


def look_result(**changes: Any) -> SeenModel:
    """Return the look at a quiet machine, with `changes`; names for a GPU begin with `gpu_`."""
    gpu_changes = {name[4:]: changes.pop(name) for name in list(changes) if name.startswith("gpu_")}
    return SeenModel.model_validate({**QUIET, "gpus": [{**GPU, **gpu_changes}], **changes})


def test_a_quiet_machine_is_fit():
    result = judge(look_result())
    assert result.verdict == "fit"
    assert {finding.name: finding.value for finding in result.findings} == {
        "other processes": "0.4 % of all cores",
        "stolen CPU time": "0 % of all cores",
        "usable cores": "8 of 8",
        "CPU governor": "performance",
        "free memory": "12.0 GB",
        "swap": "0.3 GB used, 0.0 MB moved in 5 s",
        "free disk": "72.0 GB",
        "power": "mains",
        "use of cuda:0": "0 processes, 0 % busy",
        "clock of cuda:0": "40 °C, slowed by nothing",
        "lock": "free",
    }
    assert {finding.verdict for finding in result.findings} == {"fit"}
    assert all("expected " in finding.reason for finding in result.findings)


@pytest.mark.parametrize(
    ("name", "changes", "verdict"),
    [
        ("other processes", {"other_cpu_share": MOST_OTHER_SHARE}, "fit"),
        ("other processes", {"other_cpu_share": 0.051}, "doubtful"),
        ("other processes", {"other_cpu_share": 0.25}, "doubtful"),
        ("other processes", {"other_cpu_share": 0.251}, "unfit"),
        ("stolen CPU time", {"stolen_share": MOST_STOLEN_SHARE}, "fit"),
        ("stolen CPU time", {"stolen_share": 0.051}, "doubtful"),
        ("stolen CPU time", {"stolen_share": 0.3}, "unfit"),
        ("usable cores", {"allowed_cores": 7.5}, "doubtful"),
        ("CPU governor", {"governors": ["performance", "powersave"]}, "doubtful"),
        ("CPU governor", {"governors": ["conservative"]}, "doubtful"),
        ("CPU governor", {"governors": ["schedutil"]}, "fit"),
        ("free memory", {"available_memory_bytes": 2 * doctor.WORKER_BYTES}, "fit"),
        ("free memory", {"available_memory_bytes": 2 * doctor.WORKER_BYTES - 1}, "doubtful"),
        ("free memory", {"available_memory_bytes": doctor.WORKER_BYTES - 1}, "unfit"),
        ("free memory", {"workers": 5}, "fit"),
        ("free memory", {"workers": 6}, "doubtful"),
        ("free memory", {"workers": 7}, "unfit"),
        ("swap", {"swap_used_bytes": 9_000_000_000}, "fit"),
        ("swap", {"swap_moved_bytes": 4096}, "doubtful"),
        ("swap", {"swap_moved_bytes": 50_000_000}, "doubtful"),
        ("swap", {"swap_moved_bytes": 50_000_001}, "unfit"),
        ("free disk", {"free_disk_bytes": doctor.COMFORTABLE_DISK_BYTES}, "fit"),
        ("free disk", {"free_disk_bytes": doctor.COMFORTABLE_DISK_BYTES - 1}, "doubtful"),
        ("free disk", {"free_disk_bytes": doctor.RUN_BYTES - 1}, "unfit"),
        ("power", {"on_battery": True}, "doubtful"),
        ("use of cuda:0", {"gpu_processes": 1}, "doubtful"),
        ("use of cuda:0", {"gpu_busy_share": 0.05}, "fit"),
        ("use of cuda:0", {"gpu_busy_share": 0.06}, "doubtful"),
        ("use of cuda:0", {"gpu_processes": 1, "gpu_busy_share": 0.26}, "unfit"),
        ("use of cuda:0", {"gpu_processes": None, "gpu_busy_share": 0.26}, "unfit"),
        ("use of cuda:0", {"gpu_processes": 1, "gpu_busy_share": None}, "doubtful"),
        ("clock of cuda:0", {"gpu_celsius": 75}, "fit"),
        ("clock of cuda:0", {"gpu_celsius": 76}, "doubtful"),
        ("clock of cuda:0", {"gpu_slowed_by": ["heat"]}, "doubtful"),
        ("clock of cuda:0", {"gpu_celsius": None}, "fit"),
        ("clock of cuda:0", {"gpu_celsius": 76, "gpu_slowed_by": None}, "doubtful"),
        ("lock", {"lock_holders": ["samestep run in /a, pid 7 of ada"]}, "unfit"),
    ],
    ids=str,
)
def test_a_threshold_decides_each_finding_and_the_worst_finding_the_verdict(name, changes, verdict):
    result = judge(look_result(**changes))
    (finding,) = (finding for finding in result.findings if finding.name == name)
    assert finding.verdict == verdict
    assert result.verdict == verdict
    others = [finding.name for finding in result.findings if finding.verdict != "fit"]
    assert others == ([] if verdict == "fit" else [name])


def test_an_unfit_finding_counts_more_than_a_doubtful_one():
    assert judge(look_result(on_battery=True, stolen_share=0.3)).verdict == "unfit"
    assert judge(look_result(on_battery=True, stolen_share=None)).verdict == "doubtful"


UNKNOWN = {
    "allowed_cores": None, "other_cpu_share": None, "stolen_share": None, "governors": None,
    "swap_used_bytes": None, "swap_moved_bytes": None, "free_disk_bytes": None,
    "on_battery": None, "gpu_processes": None, "gpu_busy_share": None, "gpu_celsius": None,
    "gpu_slowed_by": None,
}  # fmt: skip


def test_unknown_values_have_a_reason_and_do_not_change_the_verdict():
    result = judge(look_result(**UNKNOWN))
    assert result.verdict == "fit"
    unknown = [finding for finding in result.findings if finding.verdict == "unknown"]
    known = [finding.name for finding in result.findings if finding.verdict != "unknown"]
    assert known == ["free memory", "lock"]
    assert all(finding.value is None and finding.reason for finding in unknown)
    assert doctor.worst_verdict(finding.verdict for finding in unknown) == "unknown"


def test_a_gpu_with_unknown_values_shows_which_are_unknown():
    result = judge(look_result(gpu_busy_share=None, gpu_slowed_by=None))
    values = [finding.value for finding in result.findings if "cuda:0" in finding.name]
    assert values == ["0 processes, load unknown", "40 °C, slowed by unknown"]
    result = judge(
        look_result(gpu_processes=None, gpu_celsius=None, gpu_slowed_by=["heat", "its hardware"])
    )
    values = [finding.value for finding in result.findings if "cuda:0" in finding.name]
    assert values == [
        "processes unknown, 0 % busy",
        "temperature unknown, slowed by heat, its hardware",
    ]


def test_a_preflight_is_the_same_after_writing_and_reading():
    result = judge(look_result(stolen_share=None))
    assert preflight.PreflightModel.model_validate_json(result.model_dump_json()) == result


Times = namedtuple("Times", "user system idle steal")
Swap = namedtuple("Swap", "used sin sout")


def test_a_look_measures_the_work_of_other_processes(monkeypatch, tmp_path):
    """In 2 s on 8 cores, other processes took 4 of the 16 core seconds, and the host 1.6."""
    clock = iter((100.0, 102.0))
    monkeypatch.setattr(look.time, "monotonic", lambda: next(clock))
    own = iter((7.0, 7.5))
    monkeypatch.setattr(look.time, "process_time", lambda: next(own))
    monkeypatch.setattr(look.os, "cpu_count", lambda: 8)
    times = iter((Times(10, 5, 90, 1), Times(13, 6.5, 99.9, 2.6)))
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(times))
    swaps = iter((Swap(5, 10, 20), Swap(6, 10, 4116)))
    monkeypatch.setattr(psutil, "swap_memory", lambda: next(swaps))
    slept: list[float] = []
    result = look.look(2.0, tmp_path, ["cpu"], sleep=slept.append)
    assert slept == [2.0]
    assert (result.seconds, result.cores) == (2.0, 8)
    assert result.other_cpu_share == pytest.approx(4 / 16)
    assert result.stolen_share == pytest.approx(1.6 / 16)
    assert (result.swap_used_bytes, result.swap_moved_bytes) == (6, 4096)
    assert result.gpus == []
    assert result.lock_holders is None
    assert "lock" not in [finding.name for finding in judge(result).findings]


def test_this_machine_can_be_looked_at(tmp_path):
    result = look.look(0.02, tmp_path / "not" / "yet" / "there", ["cpu"])
    assert 0.02 <= result.seconds < 5
    assert result.available_memory_bytes > 2**20
    assert result.free_disk_bytes > 2**20
    assert result.allowed_cores is None or 0 < result.allowed_cores <= result.cores


def test_governors_are_named_once(monkeypatch, tmp_path):
    monkeypatch.setattr(look, "GOVERNORS", tmp_path)
    assert look.governors() is None
    for number, name in enumerate(("powersave", "performance", "powersave")):
        (tmp_path / f"policy{number}").mkdir()
        (tmp_path / f"policy{number}" / "scaling_governor").write_text(f"{name}\n")
    assert look.governors() == ["performance", "powersave"]


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the folder of a machine without control groups, to be filled."""
    monkeypatch.setattr(cgroups, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(cgroups, "ROOT", tmp_path / "root")
    return tmp_path


def fill(folder: Path, membership: str, files: Mapping[str, str]) -> None:
    (folder / "membership").write_text(membership)
    for name, text in files.items():
        path = folder / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_system_without_control_groups_gives_no_limit(groups):
    assert cgroups.cpu_quota() is None
    assert cgroups.memory_room_bytes() is None
    assert look.allowed_cores(8) is None
    assert look.memory_bytes() > 2**20


def test_without_a_limit_there_is_no_limit(groups):
    files = {"a/cpu.max": "max 100000\n", "a/memory.max": "max\n", "a/memory.current": "9\n"}
    fill(groups, "0::/a\n", files)
    assert cgroups.cpu_quota() == math.inf
    assert cgroups.memory_room_bytes() == math.inf


def test_the_smallest_limit_of_a_group_and_those_above_counts(groups):
    files = {
        "a/b/cpu.max": "300000 100000\n",
        "a/cpu.max": "150000 100000\n",
        "cpu.max": "max 100000\n",
        "a/b/memory.max": "max\n",
        "a/memory.max": "1000\n",
        "a/memory.current": "900\n",
        "a/memory.stat": "anon 100\ninactive_file 250\n",
    }
    fill(groups, "0::/a/b\n", files)
    assert cgroups.cpu_quota() == 1.5
    assert cgroups.memory_room_bytes() == 1000 - 900 + 250
    assert look.memory_bytes() == 350


def test_version_1_has_a_tree_for_each_controller(groups):
    files = {
        "cpu/a/cpu.cfs_quota_us": "50000\n",
        "cpu/a/cpu.cfs_period_us": "100000\n",
        "cpu/cpu.cfs_quota_us": "-1\n",
        "cpu/cpu.cfs_period_us": "100000\n",
        "memory/a/memory.limit_in_bytes": "1000\n",
        "memory/a/memory.usage_in_bytes": "400\n",
        "memory/a/memory.stat": "inactive_file 1\ntotal_inactive_file 50\n",
    }
    fill(groups, "9:name=systemd:/\n4:memory:/a\n2:cpu,cpuacct:/a\n0::/\n", files)
    assert cgroups.cpu_quota() == 0.5
    assert look.allowed_cores(8) == 0.5
    assert cgroups.memory_room_bytes() == 1000 - 400 + 50


def test_a_container_sees_its_own_group_as_the_root(groups):
    files = {"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}
    fill(groups, "2:cpu:/docker/abc\n", files)
    assert cgroups.cpu_quota() == 2.0


def test_a_cpu_mask_counts_like_a_quota(groups, monkeypatch):
    fill(groups, "0::/\n", {})
    monkeypatch.setattr(look.os, "sched_getaffinity", lambda pid: {3, 5}, raising=False)
    assert look.allowed_cores(8) == 2


def test_swap_that_can_not_be_read_is_unknown(monkeypatch):
    def warn_of_swap() -> Swap:
        warnings.warn("'sin' and 'sout' were set to 0", RuntimeWarning, 2)
        return Swap(1, 0, 0)

    monkeypatch.setattr(psutil, "swap_memory", warn_of_swap)
    assert environment.swap_bytes() == (None, None)


Battery = namedtuple("Battery", "percent power_plugged")


@pytest.mark.parametrize(
    ("battery", "expected"),
    [
        (None, False),
        (Battery(50, True), False),
        (Battery(50, False), True),
        (Battery(50, None), None),
    ],
)
def test_a_laptop_may_run_on_battery(monkeypatch, battery, expected):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert environment.runs_on_battery() is expected


def test_a_system_without_batteries_in_psutil_gives_nothing(monkeypatch):
    monkeypatch.delattr(psutil, "sensors_battery", raising=False)
    assert environment.runs_on_battery() is None


def table_text(result: Any, width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    return command.as_text(result)


def test_the_table_fits_and_gives_reasons(monkeypatch):
    result = judge(look_result(other_cpu_share=0.123, on_battery=True, governors=None))
    text = table_text(result, 100, monkeypatch)
    assert max(map(len, text.splitlines())) <= 100
    assert re.search(
        r"^other processes +12\.3 % of all cores +doubtful +expected at most 5 %: trials",
        text,
        re.M,
    )
    assert re.search(r"^CPU governor +unknown +unknown +this system shows none", text, re.M)
    # findings that are fit get no sentence
    assert re.search(r"^free memory +12\.0 GB +fit$", text, re.M)
    assert text.endswith(
        "\n\nDoubtful: other processes, power. A run now may be disturbed, and its report says so."
    )


def test_the_conclusion_names_only_the_worst_findings():
    result = judge(look_result(other_cpu_share=0.5, on_battery=True))
    consequence = "What a run measures now says little about this machine."
    assert command.conclusion(result) == f"Unfit: other processes. {consequence}"
    assert command.conclusion(judge(look_result())) == "This machine is fit to be measured on."


@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(monkeypatch, width):
    holder = "samestep run in /" + "a/" * 60
    result = judge(look_result(lock_holders=[holder], other_cpu_share=0.123, governors=None))
    text = table_text(result, width, monkeypatch)
    assert max(map(len, text.splitlines())) <= width
    header = text.splitlines()[0]
    cells = {
        name: [line[header.index(name):end].strip() for line in text.split("\n\n")[0].splitlines()]
        for name, end in (("value", header.index("verdict")), ("reason", None))
    }  # fmt: skip
    # a path is broken at the end of its line
    assert holder.replace(" ", "") in "".join(cells["value"]).replace(" ", "")
    reasons = " ".join(" ".join(cells["reason"]).split())
    for finding in result.findings:
        assert finding.verdict == "fit" or finding.reason in reasons


def test_a_terminal_that_is_too_narrow_gets_a_table_of_60_columns(monkeypatch):
    text = table_text(judge(look_result(lock_holders=["samestep run in /a"])), 20, monkeypatch)
    assert max(map(len, text.splitlines())) <= 60
    assert "expected free: a" in text


@pytest.mark.parametrize(
    ("changes", "code"), [({}, 0), ({"on_battery": True}, 0), ({"stolen_share": 0.5}, 1)], ids=str
)
def test_only_an_unfit_machine_is_exit_code_1(samestep, monkeypatch, changes, code):
    monkeypatch.setattr(
        look, "look", lambda seconds, place, devices, workers: look_result(**changes)
    )
    answered, out, _ = samestep("doctor", "--json")
    assert answered == code
    assert preflight.PreflightModel.model_validate_json(out) == judge(look_result(**changes))


def test_the_doctor_names_the_process_that_holds_the_machine(samestep):
    with hold(MACHINE, purpose="samestep run in /a/folder"):
        code, out, err = samestep("doctor", "--seconds", "0.01", "--json")
    assert code == 1
    assert err == "looking at the machine for 0.01 s\n"
    answer = json.loads(out)
    assert answer["verdict"] == "unfit"
    (finding,) = (finding for finding in answer["findings"] if finding["name"] == "lock")
    assert finding["value"].startswith("samestep run in /a/folder, pid ")


def test_the_doctor_leaves_no_files(samestep, tmp_path, monkeypatch):
    monkeypatch.setenv(lock.VARIABLE, str(tmp_path))
    _, out, _ = samestep("doctor", "--seconds", "0.01", "--out", str(tmp_path / "run"))
    assert "free disk" in out
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def terminal() -> display.TerminalDisplay:
    shown = display.TerminalDisplay()
    shown._console = Console(file=io.StringIO(), width=200)
    return shown


@pytest.mark.parametrize(("profile", "seconds"), [("smoke", 1.0), ("standard", 5.0), ("full", 5.0)])
def test_a_run_looks_at_the_machine_first_reports_problems_and_goes_on(
    monkeypatch, tmp_path, terminal, profile, seconds
):
    looks: list[Any] = []

    def note_look(*arguments: Any) -> SeenModel:
        looks.append(arguments)
        return look_result(stolen_share=0.3, on_battery=True, governors=None, lock_holders=None)

    monkeypatch.setattr(look, "look", note_look)
    result = carry_out.preflight(tmp_path, ("cpu", "cuda:0"), profile, 2, terminal)
    assert looks == [(seconds, tmp_path, ("cpu", "cuda:0"), 2)]
    assert result.verdict == "unfit"
    # unknown values are not reported in each run
    assert terminal._console.file.getvalue().splitlines() == [
        f"looking at the machine for {seconds:g} s",
        "unfit: stolen CPU time: 30 % of all cores; expected at most 5 %: the host gives it to "
        "other virtual machines",
        "doubtful: power: battery; expected mains: on battery clocks are lowered",
    ]


def test_a_session_has_the_result_of_its_look(samestep, tmp_path, monkeypatch, data):
    looked_at = look_result(gpus=[], on_battery=True, lock_holders=None)
    monkeypatch.setattr(look, "look", lambda seconds, place, devices, workers: looked_at)
    monkeypatch.setattr(mnist, "load", lambda: data)
    monkeypatch.setattr(report, "FIGURES", ())
    folder = tmp_path / "run"
    backend = ("--backend", "pytorch", "--python", "pytorch=/bin/false")
    started = samestep(
        *("run", "--profile", "smoke", "--workload", "mlp-512", "--device", "cpu"),
        *(*backend, "--out", str(folder)),
    )
    assert started[0] == 1
    assert "doubtful: power: battery; " in started[2]
    looked_at = look_result(gpus=[], on_battery=False, lock_holders=None)
    samestep("run", "--resume", str(folder))
    first, second = (session.preflight for session in read_run(folder).sessions)
    assert (first.verdict, second.verdict) == ("doubtful", "fit")
    assert second == judge(looked_at)


def test_an_interrupted_look_leaves_no_run(samestep, tmp_path, monkeypatch):
    def interrupt(*arguments: Any) -> SeenModel:
        raise KeyboardInterrupt

    monkeypatch.setattr(look, "look", interrupt)
    code, out, err = samestep("run", "--device", "cpu", "--out", str(tmp_path / "run"))
    assert (code, out) == (130, "")
    assert err.endswith("samestep: interrupted before there was a plan\n")
    assert not (tmp_path / "run").exists()
    assert lock.holder(MACHINE) is None


def test_a_look_takes_the_given_time(tmp_path):
    started = time.monotonic()
    look.look(0.05, tmp_path, [])
    assert time.monotonic() - started >= 0.05
