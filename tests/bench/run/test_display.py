"""A run is shown in two lines on a terminal and in plain lines elsewhere, 60 columns wide or more.

The displays are called as a run calls them; tests/bench/cli has the table that they show.
"""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from backends import BACKENDS
from bench.machine.doctor import judge
from bench.record import read_record
from bench.record.run import RunModel
from bench.run.display import TerminalDisplay, WarningsDisplay
from bench.run.words import clock_time, duration, running_line
from bench.spec import MODES, AccuracyPlan, Cell, Execution, TimingPlan, Trial
from bench.worker.messages import EpochFigures
from bench.workloads import WORKLOADS
from tests.bench.machine.test_doctor import look_result
from tests.records import build_record, build_run, failed_record, plan

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TRIALS = [
    *plan(workloads=["mlp-512"], rounds=2, seeds=()),
    *plan(workloads=["mlp-512"], rounds=0, seeds=(1,)),
]
TABLE = "the table"


class Terminal(io.StringIO):
    """A standard error that is a terminal, or a pipe."""

    def __init__(self, *, tty: bool = True) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty

    def frames(self) -> list[list[str]]:
        """Return what was printed between control codes, as lines; empty ones are left out."""
        frames = (part.strip("\n").splitlines() for part in CONTROL.split(self.getvalue()))
        return [frame for frame in frames if frame]

    def lines(self) -> list[str]:
        """Return all printed lines in their order."""
        return [line for frame in self.frames() for line in frame]


@pytest.fixture(params=[60, 80])
def open_terminal(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Terminal]:
    """Return a function that opens a terminal; pytest itself replaces it before the test starts."""
    columns = str(request.param)
    return lambda: use(Terminal(), monkeypatch, COLUMNS=columns, TERM="xterm-256color")


def use(stream: Terminal, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Terminal:
    """Make the stream the standard error, with only these variables that a display reads."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def run_of(trials: list[Trial]) -> RunModel:
    """Return a new run with the figures of its pilot."""
    pilot = [
        {"cell": label, "setup_seconds": 1.0, "step_seconds": 1e-3, "steps_per_block": 4,
         "native_step_seconds": 1e-3}
        for label in {trial.cell.label for trial in trials}
    ]  # fmt: skip
    return build_run(trials, pilot=pilot, sessions=[])


def figures(epoch: int) -> EpochFigures:
    return EpochFigures(
        epoch=epoch, train_loss=0.1, train_accuracy=0.98, test_loss=0.1, test_accuracy=0.97,
        seconds=1.0,
    )  # fmt: skip


def play(display: TerminalDisplay, trials: list[Trial]) -> None:
    """Call the display as a run of these trials does, each alone, with its epochs."""
    with display:
        display.planned(run_of(trials), trials)
        for trial in trials:
            display.started(trial)
            for epoch in range(trial.accuracy.epochs if trial.accuracy else 0):
                display.epoch(trial, figures(epoch + 1))
            display.ended(build_record(trial))


def every_trial() -> Iterator[Trial]:
    """Yield timing and accuracy trials of every workload, backend and mode."""
    timing = TimingPlan(
        window_blocks=2, blocks=2, steps_per_block=2, native_steps=2, native_slices=1,
        tutorial_steps=1,
    )  # fmt: skip
    for workload, backend, mode in product(WORKLOADS, BACKENDS, MODES):
        execution = Execution(device="cpu", batch_size=128, mode=mode)
        cell = Cell(workload=workload, backend=backend, execution=execution)
        yield Trial(kind="timing", cell=cell, seed=0, round=19, timing=timing)
        yield Trial(kind="accuracy", cell=cell, seed=9, accuracy=AccuracyPlan(epochs=100))


@pytest.mark.parametrize("width", [60, 80])
def test_the_line_of_a_trial_fits_and_no_word_is_cut(width):
    for trial in every_trial():
        whole = running_line([trial], figures(100), 1000).split(", ")
        shown = running_line([trial], figures(100), width)
        assert len(shown) <= width
        # what does not fit is left out as a whole; workload, backend and epoch always fit
        assert [part for part in whole if part in shown.split(", ")] == shown.split(", ")
        assert shown.split(", ")[:2] == whole[:2]


def test_trials_that_take_turns_share_a_line():
    first, second = TRIALS[:2]
    assert running_line([], None, 60) == ""
    assert running_line([first], None, 60) == "timing mlp-512 keras-tensorflow, round 1, cpu"
    together = "timing mlp-512, round 1, 2 configurations in turn, cpu"
    assert running_line([first, second], None, 60) == together


def test_the_end_is_a_time_of_day():
    noon = datetime(2026, 1, 6, 12, tzinfo=UTC)
    assert clock_time(noon, 60 * 60) == "13:00"
    assert clock_time(noon, 20 * 60 * 60) == "Wed 08:00"


@pytest.mark.parametrize(("seconds", "text"), [(45, "45 s"), (720, "12 min"), (3900, "1 h 05 min")])
def test_a_duration_is_said_in_its_unit(seconds, text):
    assert duration(seconds) == text


def test_a_terminal_shows_two_lines_in_place(open_terminal):
    terminal = open_terminal()
    play(TerminalDisplay(), TRIALS)
    frames = [frame for frame in terminal.frames() if frame[0].startswith("[")]
    assert all(len(frame) <= 2 for frame in frames)
    assert max(len(line) for frame in frames for line in frame) <= int(os.environ["COLUMNS"])
    # the bar is as wide at any time, and the count goes up
    assert {frame[0].index("]") for frame in frames} == {21}
    assert frames[0][0].startswith("[--------------------] 0 of 6")
    assert frames[-1][0].startswith("[####################] 6 of 6")
    counts = [int(re.search(r"\] (\d+) of 6", frame[0])[1]) for frame in frames]
    assert counts == sorted(counts)
    assert set(counts) == set(range(7))
    assert all(re.search(r"of 6(, done about (\w+ )?\d\d:\d\d)?$", frame[0]) for frame in frames)
    assert frames[1][1] == "timing mlp-512 keras-tensorflow, round 1, cpu"


def test_the_longest_count_leaves_room_for_the_bar(open_terminal):
    terminal = open_terminal()
    display = TerminalDisplay()
    with display:
        display.planned(build_run(TRIALS), TRIALS)
        display._done, display._trials = 1234, 1234
        display._seconds_left = lambda: 3e5
        display._update()
    (line,) = {line for line in terminal.lines() if "1234 of 1234" in line}
    assert re.search(r"1234 of 1234, done about \w{3} \d\d:\d\d$", line)


def test_a_terminal_shows_the_last_epoch_alone_in_place(open_terminal):
    terminal = open_terminal()
    play(TerminalDisplay(), TRIALS)
    with_epochs = [frame for frame in terminal.frames() if "epoch" in "".join(frame)]
    assert len(with_epochs) == 10
    assert all(frame[0].startswith("[") and len(frame) == 2 for frame in with_epochs)
    assert "epoch 5/5" in with_epochs[-1][1]
    # the next trial has no epoch yet
    assert "epoch" not in "".join(terminal.frames()[-1])


def test_long_texts_break_between_words(open_terminal):
    terminal = open_terminal()
    text = " ".join(["interruption"] * 20)
    TerminalDisplay().say(f"{text} {'/folder' * 30}")
    *lines, path = terminal.lines()
    assert max(map(len, lines)) <= int(os.environ["COLUMNS"])
    assert " ".join(lines) == text
    # a path stays whole: a user copies it
    assert path == "/folder" * 30


def test_the_table_follows_each_round_that_is_not_the_last_thing(open_terminal):
    terminal = open_terminal()
    rounds = [trial for trial in TRIALS if trial.timing]
    trainings = [trial for trial in TRIALS if trial.accuracy]
    play(TerminalDisplay(lambda: TABLE), [*rounds, *trainings])
    assert terminal.lines().count(TABLE) == 2
    play(TerminalDisplay(lambda: TABLE), rounds)
    # after the last round, the command prints it
    assert terminal.lines().count(TABLE) == 3


def test_an_empty_table_is_not_shown(open_terminal):
    terminal = open_terminal()
    play(TerminalDisplay(lambda: ""), TRIALS)
    assert "" not in terminal.lines()


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}, {"TTY_COMPATIBLE": "1"}], ids=str)
def test_a_pipe_gets_a_plain_line_per_trial(monkeypatch, variables):
    pipe = use(Terminal(tty=False), monkeypatch, COLUMNS="60", TERM="xterm", **variables)
    play(TerminalDisplay(lambda: TABLE), TRIALS)
    assert "\x1b" not in pipe.getvalue()
    assert "\r" not in pipe.getvalue()
    plan_line, *trials = pipe.getvalue().splitlines()
    assert plan_line.startswith("6 trials to run, 2 configurations, profile standard: about ")
    assert len(trials) == 6
    assert all(line.startswith(f"{n} of 6") for n, line in enumerate(trials, 1))
    assert trials[0].endswith(": timing mlp-512 keras-tensorflow cpu, round 1")
    assert trials[-1].endswith(": training mlp-512 pytorch cpu, seed 1")


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    stream = use(Terminal(), monkeypatch, COLUMNS="60", TERM="dumb")
    play(TerminalDisplay(lambda: TABLE), TRIALS)
    assert "\x1b" not in stream.getvalue()
    assert sum(" of 6" in line for line in stream.lines()) == 6


def test_the_two_lines_need_no_colour(monkeypatch):
    stream = use(Terminal(), monkeypatch, COLUMNS="60", TERM="xterm-256color", NO_COLOR="1")
    play(TerminalDisplay(), TRIALS)
    assert stream.frames()
    assert not COLOUR.search(stream.getvalue())


def test_a_run_with_nothing_left_starts_no_bar(open_terminal):
    terminal = open_terminal()
    with TerminalDisplay() as display:
        display.planned(build_run(TRIALS), [])
    assert terminal.getvalue() == "no trial is left to run\n"


def test_the_end_is_unknown_without_an_estimate(open_terminal):
    terminal = open_terminal()
    with TerminalDisplay() as display:
        display.planned(build_run(TRIALS, estimate_seconds=None), TRIALS)
        display.started(TRIALS[0])
        assert "done about" not in terminal.getvalue()
        display.ended(build_record(TRIALS[0]))
    assert "1 of 6, done about" in terminal.getvalue()


def test_a_quiet_run_shows_only_what_went_wrong(monkeypatch):
    pipe = use(Terminal(tty=False), monkeypatch)
    failed = failed_record(TRIALS[0], "killed", "by signal 9")
    with WarningsDisplay() as display:
        display.looking(1.0)
        display.preflight(judge(look_result(on_battery=True, gpus=[], lock_holders=None)))
        display.piloting("pytorch", "cpu")
        display.planned(build_run(TRIALS), TRIALS)
        display.started(TRIALS[0])
        display.epoch(TRIALS[0], figures(1))
        display.ended(build_record(TRIALS[1]))
        display.ended(failed)
        display.added(TRIALS, "a reason")
    assert pipe.getvalue().splitlines() == [
        "doubtful: power: battery; expected mains: on battery clocks are lowered",
        "timing mlp-512 keras-tensorflow cpu, round 1: killed: by signal 9",
    ]


@pytest.mark.parametrize("make", [WarningsDisplay, TerminalDisplay])
def test_a_record_that_cannot_be_written_goes_to_standard_output(
    open_terminal, capsys, tmp_path, make: Callable[[], WarningsDisplay]
):
    terminal = open_terminal()
    record = build_record(TRIALS[0])
    with make() as display:
        display.planned(build_run(TRIALS), TRIALS)
        display.started(TRIALS[0])
        display.unwritten(record, Path("/full/disk.json"))
        display.ended(record)
    saved = tmp_path / "saved.json"
    saved.write_text(capsys.readouterr().out, "utf-8")
    assert read_record(saved) == record
    assert "cannot write /full/disk.json: " in terminal.getvalue()
