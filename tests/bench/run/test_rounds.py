"""A run repeats disturbed trials at the end of their round and adds rounds for precision."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from backends import Place
from bench import mnist
from bench.profiles import PROFILES, Profile
from bench.record.run import RunModel, read_run, write_run
from bench.record.stored import read_records
from bench.run import process
from bench.run.process import worker_packages
from bench.run.request import Request
from bench.run.runner import Runner
from bench.spec import Trial
from bench.stats import SMALLEST_SAMPLE
from tests.fakes.scripts import write_script
from tests.records import BACKENDS, build_run, plan

# the first attempt of a cell's second round is disturbed; the backends differ in their noise
BODY = """
trial = task["trial"]
unsteady = trial["round"] in UNSTEADY and trial["cell"]["backend"] == "pytorch"
busy = trial["round"] == 1 and trial["attempt"] == 0 and trial["cell"]["backend"] == "pytorch"
windows = {"wall_seconds": [1.0], "own_cpu_seconds": [1.0],
           "other_cpu_seconds": [100.0 if busy else 0.0],
           "steal_seconds": [0.0], "throttled_seconds": None, "pressure_seconds": None}
seconds = 1.0 + NOISE * (trial["round"] % 2)
lanes = {"step": {"block_seconds": [seconds], "steps_per_block": 1, "batch_size": 128},
         "native": {"slice_seconds": [seconds], "steps_per_slice": 1, "batch_size": 128,
                    "short_slice_seconds": [seconds], "steps_per_short_slice": 1}}
result = {"status": "ok", "reason": None, "versions": {"fake": "1.0"}, "devices": ["cpu"],
          "windows": {"step": windows}, "lanes": lanes, "cpu_seconds": 0.5,
          "flags": ["no_steady_state"] if unsteady else [],
          "hash_seed": os.environ["PYTHONHASHSEED"]}
print(os.environ["PYTHONHASHSEED"], len(os.environ["SAMESTEP_PADDING"]), flush=True)
os.write(pipe, json.dumps({"event": "result", "result": result}).encode() + b"\\n")
"""


class CollectingDisplay:
    """A display that keeps the reasons of added trials."""

    def __init__(self) -> None:
        self.added_because: list[str] = []

    def planned(self, *arguments: Any) -> None: ...

    def started(self, *arguments: Any) -> None: ...

    def ended(self, *arguments: Any) -> None: ...

    def added(self, trials: Sequence[Trial], why: str) -> None:
        self.added_because.append(f"{why}: {len(trials)}")


@pytest.fixture(autouse=True)
def _quick(data: mnist.Mnist, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(mnist, "load", lambda: data)
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.05)
    return


def run_rounds(
    folder: Path,
    *names: str,
    rounds: int,
    noise: float = 0.0,
    unsteady: Sequence[int] = (),
    **rules: int,
) -> CollectingDisplay:
    trials = plan(workloads=["mlp-512"], backends=names or BACKENDS, rounds=rounds, seeds=())
    known = {"versions": {"fake": "1.0"}, "devices": ["cpu"], "unavailable": None}
    backends = dict.fromkeys(names or BACKENDS, known)
    run = build_run(draw_setups(trials), backends=backends, sessions=[], **rules)
    write_run(run, folder)
    return execute(run, folder, noise=noise, unsteady=unsteady)


def execute(
    run: RunModel, folder: Path, *, noise: float = 0.0, unsteady: Sequence[int] = ()
) -> CollectingDisplay:
    interpreter = write_script(
        folder, "timing", f"NOISE, UNSTEADY = {noise}, {list(unsteady)}\n{BODY}"
    )
    request = Request(
        workloads=[], backends=tuple(run.backends), devices=["cpu"],
        profile=Profile(name="standard", rounds=0),
        interpreters=dict.fromkeys(run.backends, interpreter),
        places=dict.fromkeys(run.backends, Place(adapter="none", environment="none")),
    )  # fmt: skip
    display = CollectingDisplay()
    with worker_packages() as packages:
        Runner(request, folder, packages, display).execute(run)
    return display


def draw_setups(trials: Sequence[Trial]) -> list[Trial]:
    from bench.run.plan import draw_setup

    return [draw_setup(trial, order_seed=1) for trial in trials]


def test_a_disturbed_trial_is_repeated_at_the_end_of_its_round(tmp_path):
    display = run_rounds(tmp_path, rounds=3, most_repeats=3)
    # and so is the trial that took turns with it
    assert display.added_because == ["round 2 was disturbed: 2"]
    run = read_run(tmp_path)
    records = list(read_records(tmp_path, run))
    trials = [record.trial for record in records]
    order = [(trial.round, trial.attempt, trial.backend) for trial in trials]
    assert sorted(order[2:4]) == [(1, 0, "keras-tensorflow"), (1, 0, "pytorch")]
    assert order[4:6] == [(1, 1, backend) for _, _, backend in order[2:4]]
    assert [trial.round for trial in trials[6:]] == [2, 2]
    (flagged,) = [record.trial for record in records if "contended" in record.flags]
    assert (flagged.round, flagged.attempt, flagged.backend) == (1, 0, "pytorch")
    assert len(records) == len(run.trials) == 8


def test_a_run_that_may_repeat_nothing_repeats_nothing(tmp_path):
    assert run_rounds(tmp_path, "pytorch", rounds=2, most_repeats=0).added_because == []


def test_rounds_are_added_for_precision_up_to_the_most(tmp_path):
    display = run_rounds(tmp_path, "pytorch", rounds=6, noise=0.2, most_rounds=8)
    assert display.added_because == ["1 cell is not known to 2 %: 1"] * 2
    run = read_run(tmp_path)
    assert max(trial.round for trial in run.trials) == 7
    assert len(list(read_records(tmp_path, run))) == len(run.trials) == 8


def test_a_round_in_which_a_cell_was_not_steady_is_replaced(tmp_path):
    display = run_rounds(tmp_path, rounds=6, steady_rounds=6, most_repeats=0, unsteady=(2,))
    assert display.added_because == ["2 cells are short of 6 good rounds: 2"]
    assert max(trial.round for trial in read_run(tmp_path).trials) == 6


def test_rounds_are_added_until_rivals_have_enough_good_ones_in_common(tmp_path):
    run_rounds(tmp_path, rounds=6, steady_rounds=6, most_repeats=0, unsteady=range(0, 20, 2))
    # every other round is good
    assert max(trial.round for trial in read_run(tmp_path).trials) == 11


@pytest.mark.parametrize(("unsteady", "added"), [(range(20), 0), (range(1, 20), 0)])
def test_a_cell_that_is_hardly_ever_steady_gets_no_more_rounds(tmp_path, unsteady, added):
    display = run_rounds(tmp_path, rounds=6, steady_rounds=6, unsteady=unsteady)
    assert len(display.added_because) == added


def test_a_resumed_run_gets_the_rounds_that_it_still_needs(tmp_path):
    run_rounds(tmp_path, rounds=6, unsteady=(2,))
    whole = read_run(tmp_path).model_copy(update={"steady_rounds": 6})
    write_run(whole, tmp_path)
    assert execute(whole, tmp_path, unsteady=()).added_because == [
        "2 cells are short of 6 good rounds: 2"
    ]


def test_a_run_of_an_earlier_version_gets_the_rounds_of_a_verdict_and_no_more(tmp_path):
    display = run_rounds(tmp_path, rounds=6, steady_rounds=14, most_repeats=0)
    assert display.added_because == []


def test_a_profile_asks_for_as_many_good_rounds_as_a_verdict_needs():
    assert {PROFILES[name].steady_rounds for name in ("standard", "full")} == {SMALLEST_SAMPLE}


def test_precise_cells_get_no_more_rounds(tmp_path):
    assert run_rounds(tmp_path, "pytorch", rounds=6, noise=0.0, most_rounds=8).added_because == []


def test_each_trial_has_its_own_setup_and_the_session_has_the_parents_time(tmp_path):
    run_rounds(tmp_path, rounds=2)
    run = read_run(tmp_path)
    logged = {
        tuple(map(int, log.read_text(encoding="utf-8").split()))
        for log in (tmp_path / "logs").iterdir()
    }
    setups = [trial.setup for trial in run.trials]
    assert logged == {(setup.hash_seed, setup.padding_bytes) for setup in setups}
    assert len(logged) == 4
    (session,) = run.sessions
    assert 0 < session.parent_cpu_seconds < session.worker_seconds < session.wall_seconds
