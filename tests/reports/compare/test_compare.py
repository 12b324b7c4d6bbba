"""Two runs against each other: what may be said of the same cells, and what may not."""

import json
from dataclasses import replace

import pytest

from bench.errors import UsageError
from reports import compare
from reports.compare.protocol import FLAGGED_IN, REFUSED_IN
from reports.compare.the_runs import DIFFERENT
from reports.results.cells import group
from reports.results.speed import LANES
from tests.records import build_record, build_records, build_run, plan
from tests.reports.tables_of import section_of, table_with
from tests.reports.two_runs import (
    TRIALS,
    elsewhere,
    longer,
    noisy_records,
    one_run,
    remade,
    run_in,
    timed_otherwise,
    with_settings,
)

BASE = noisy_records()


@pytest.fixture(scope="module")
def base():
    return one_run("base", records=BASE)


def verdicts(*runs):
    return {one.verdict for one in compare.compare(runs).cells}


def by_lane(*runs):
    """The rows of one backend."""
    found = compare.compare(runs).cells
    return {one.lane: one for one in found if one.first.cell.backend == "pytorch"}


@pytest.mark.parametrize("seed", range(2, 7))
def test_the_same_machine_again_is_unclear(base, seed):
    again = one_run("again", records=noisy_records(seed=seed))
    assert verdicts(base, again) == {"UNCLEAR"}


def test_thirty_percent_more_time_is_slower(base):
    slower = one_run("slower", records=noisy_records(seed=3, slower=1.3))
    assert verdicts(base, slower) == {"SLOWER"}
    assert verdicts(slower, base) == {"FASTER"}


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_ten_percent_planted_in_a_copy_are_slower_in_these_cells_alone(noise):
    """However noisy the run: it shares its rounds with itself."""
    records = noisy_records(noise=noise)
    planted = [longer(one, 1.1, only="pytorch") for one in records]
    runs = one_run("a", records=records), one_run("copy", records=planted, run_id="a")
    found = compare.compare(runs).cells
    assert len(found) == 2 * len(LANES)
    for one in found:
        assert one.verdict == ("SLOWER" if one.first.cell.backend == "pytorch" else "SAME")


def test_less_than_two_runs_may_differ_is_no_difference(base):
    other = one_run("other", records=noisy_records(seed=4, slower=1.1))
    assert verdicts(base, other) == {"UNCLEAR"}
    reasons = {cell.claim.reason for cell in compare.compare((base, other)).cells}
    assert all(reason.endswith("15\u00a0% by which two runs may differ") for reason in reasons)


def test_all_runs_are_judged_together_against_the_first(base):
    others = [one_run(name, records=noisy_records(seed=n)) for n, name in enumerate("ab", 2)]
    found = compare.compare((base, *others)).cells
    assert [(one.run, one.first.cell.backend, one.lane) for one in found[:4]] == [
        ("a", "keras-tensorflow", "native"), ("a", "keras-tensorflow", "step"),
        ("a", "pytorch", "native"), ("a", "pytorch", "step"),
    ]  # fmt: skip
    assert {one.run for one in found} == {"a", "b"}


@pytest.mark.parametrize(
    "machine",
    [
        elsewhere(),
        elsewhere(cpu="another"),
        elsewhere(cores_logical=4),
        elsewhere(gpus=[{"name": "another", "memory_bytes": None, "driver": "1"}]),
    ],
)
def test_other_machines_are_never_the_same(base, machine):
    copies = one_run("copies", records=[remade(one, environment=machine) for one in BASE])
    found = compare.compare((base, copies)).cells
    assert {one.verdict for one in found} == {"UNCLEAR"}
    assert all(one.other_machine and one.notes[0] == "other machine" for one in found)
    # a copy of the run itself is the same
    assert verdicts(base, one_run("copies", records=BASE, run_id="base")) == {"SAME"}


def test_other_machines_may_differ(base):
    records = noisy_records(seed=3, slower=1.3, environment=elsewhere())
    assert verdicts(base, one_run("other", records=records)) == {"SLOWER"}
    records = noisy_records(seed=3, slower=1.1, environment=elsewhere())
    assert verdicts(base, one_run("other", records=records)) == {"UNCLEAR"}


def test_other_software_is_no_other_machine(base):
    machine = elsewhere(python="3.12.1", samestep="0.2.0")
    records = [remade(record, environment=machine) for record in BASE]
    other = one_run("other", records=records)
    assert not any(cell.other_machine for cell in compare.compare((base, other)).cells)


@pytest.mark.parametrize(
    ("setting", "value"), [("precision", "tf32"), ("optimizer_equations", "framework")]
)
def test_another_computation_is_refused(setting, value):
    before = one_run("before", records=with_settings(BASE, **{setting: "as it was"}))
    after = one_run("after", records=with_settings(BASE, **{setting: value}))
    found = compare.compare((before, after)).cells
    assert {one.refusal for one in found} == {f"{setting}: as it was, {value}"}
    assert {one.claim for one in found} == {None}
    text = compare.render((before, after))
    assert "Nothing is said about speed" in text.splitlines()[2]
    for row in table_with(text, "speed-up"):
        assert row["verdict"] == "not compared"
        assert row["because"].replace("\\", "") == f"{setting}: as it was, {value}"


def test_what_is_refused_takes_no_part_in_the_adjustment(base):
    twice = one_run("other", records=[
        *(one for one in BASE if one.trial.backend == "pytorch"),
        *with_settings((one for one in BASE if one.trial.backend != "pytorch"), dtype="float16"),
    ])  # fmt: skip
    first = one_run("first", records=with_settings(BASE, dtype="float32"))
    alone = [one.claim for one in compare.compare((first, twice)).cells if one.claim]
    trials = [trial for trial in TRIALS if trial.cell.backend == "pytorch"]
    few = [one for one in BASE if one.trial.backend == "pytorch"]
    pair = [one_run(name, records=few, trials=trials) for name in ("first", "other")]
    assert [one.p_value for one in alone] == [
        one.claim.p_value for one in compare.compare(pair).cells if one.claim
    ]


@pytest.mark.parametrize(
    ("setting", "values"), [("threads_intra", (2, 1)), ("compiled", (False, "graph"))]
)
def test_another_way_to_compute_it_stands_beside_the_verdict(setting, values):
    runs = [
        one_run(name, records=with_settings(BASE, **{setting: value}))
        for name, value in zip(("before", "after"), values, strict=True)
    ]
    for one in compare.compare(runs).cells:
        assert one.claim is not None
        assert one.notes == (f"{setting}: {values[0]}, {values[1]}",)


@pytest.mark.parametrize(
    ("changes", "lanes"),
    [
        ({"steps_per_call": 8}, {"step"}),
        ({"run_up_steps": 4}, {"step", "native"}),
        ({"native_steps": 300}, {"native"}),
    ],
)
def test_times_that_mean_something_else_are_refused(base, changes, lanes):
    trials = timed_otherwise(**changes)
    other = one_run("other", records=build_records(trials), trials=trials)
    found = by_lane(base, other)
    assert {lane for lane, one in found.items() if one.refusal} == lanes
    assert {lane for lane, one in found.items() if one.claim} == set(LANES) - lanes


@pytest.mark.parametrize(
    ("changes", "lanes"),
    [
        ({"blocks": 6}, {"step"}),
        ({"steps_per_block": 16}, {"step"}),
        ({"native_steps": 120}, {"native"}),
        ({"native_slices": 1}, {"native"}),
        ({"window_blocks": 5}, {"step", "native"}),
        ({"power_seconds": 5.0}, {"step", "native"}),
        ({"tutorial_steps": 20}, set()),
    ],
)
def test_another_look_at_the_same_is_flagged(base, changes, lanes):
    trials = timed_otherwise(**changes)
    other = one_run("other", records=build_records(trials), trials=trials)
    found = by_lane(base, other)
    assert {lane for lane, one in found.items() if one.notes} == lanes
    assert all(one.claim is not None for one in found.values())


def with_slices_of(name, *native_steps):
    """A run in which these numbers of steps take turns from round to round."""
    trials = [
        replace(one, timing=replace(one.timing, native_steps=native_steps[one.round % 2]))
        for one in TRIALS
    ]
    return one_run(name, records=build_records(trials), trials=trials)


def test_the_order_of_two_plans_is_no_difference():
    first, other = with_slices_of("first", 60, 100), with_slices_of("other", 100, 60)
    for one in compare.compare((first, other)).cells:
        assert (one.notes, one.refusal) == ((), None)


def test_slices_of_too_many_steps_are_refused_in_any_order():
    other = with_slices_of("other", 100, 100)
    for numbers in ((300, 100), (100, 300)):
        native = by_lane(with_slices_of("first", *numbers), other)["native"]
        assert native.refusal == "native_steps: 100, 300, 100"


def test_profile_version_and_company_are_flagged(base):
    records = [remade(one, environment=elsewhere(samestep="0.2.0")) for one in BASE]
    other = one_run("other", records=records, profile="full")
    (notes,) = {one.notes for one in compare.compare((base, other)).cells}
    assert notes == ("profile: standard, full", "samestep: 0.1.0, 0.2.0")
    trials = [trial for trial in TRIALS if trial.cell.backend == "pytorch"]
    lonely = one_run(
        "lonely", records=[one for one in BASE if one.trial.backend == "pytorch"], trials=trials
    )
    (notes,) = {one.notes for one in compare.compare((base, lonely)).cells}
    assert notes == ("cells that take turns: 2, 1",)


def test_another_network_is_refused(base):
    records = [
        remade(one, parameters={**one.parameters.model_dump(), "total": 407_060}) for one in BASE
    ]
    found = compare.compare((base, one_run("other", records=records))).cells
    assert {one.refusal for one in found} == {"parameters: 407,050, 407,060"}


def test_a_lane_without_a_steady_trial_is_refused(base):
    records = [remade(one, flags=["no_steady_state"]) for one in BASE]
    found = compare.compare((base, one_run("other", records=records))).cells
    assert {one.refusal for one in found} == {"no steady trial in both runs"}
    compare.render((base, one_run("other", records=records)))


def test_every_lane_has_a_protocol():
    assert set(LANES) == set(FLAGGED_IN) == set(REFUSED_IN)


def sentences(*sides):
    """The list at the top of a comparison."""
    return compare.render(sides).split("\n\n")[1].splitlines()


CPU = "Intel Xeon Processor, 2 cores"


def test_the_sentences_say_what_was_found(base):
    records = [longer(record, 1.1, only="pytorch") for record in BASE]
    keras, torch = sentences(base, one_run("slower", records=records, run_id="base"))
    lead = f"- slower against base ({CPU.replace('@', '@')}): "
    where = "in the full training loop of mlp-512"
    assert keras == f"{lead}Keras on TensorFlow as fast within 3 % {where} (1.00 to 1.00)."
    assert torch == f"{lead}PyTorch 0.909x as fast {where} (0.909 to 0.909)."


def test_the_sentences_are_no_stronger_than_the_verdicts(base):
    for line in sentences(base, one_run("other", records=noisy_records(seed=4, slower=1.1))):
        assert " unclear in the full training loop of mlp-512, 0.9" in line
        reason = "under the 15 % by which two runs may differ; smallest detectable difference 1"
        assert reason in line.replace("\u00a0", " ")


def test_what_is_not_the_same_of_the_runs_is_marked(base):
    other = one_run("other", environment=elsewhere(cpu="A"))
    text = compare.render((base, other))
    rows = {row["what"]: row for row in table_with(section_of(text, "The runs"), "what")}
    assert rows["CPU"][""] == DIFFERENT
    assert rows["memory"][""] == ""


def test_a_cell_that_one_of_them_lacks_is_named(base):
    fewer = [trial for trial in TRIALS if trial.cell.backend == "pytorch"]
    text = compare.render((base, one_run("other", trials=fewer)))
    assert "<summary>1 configuration not timed on both sides: other</summary>" in text
    assert "mlp-512_keras-tensorflow_cpu_default_float32_b128" in text


def test_settings_that_are_not_the_same_are_listed(base):
    (row,) = differences(base, one_run("other", records=with_settings(BASE, tf32=True)))
    assert row == {"what": "tf32", "first": "False", "second": "True", "configurations": "all"}


def differences(*sides):
    return table_with(section_of(compare.render(sides), "What differs"), "configurations")


def test_variables_and_versions_that_differ_are_listed(base):
    changes = {"variables": {"OMP_NUM_THREADS": "1"}, "versions": {"torch": "2.1"}}
    records = [
        remade(one, environment=elsewhere(**changes)) if one.trial.backend == "pytorch" else one
        for one in BASE
    ]
    rows = {row["what"]: row for row in differences(base, one_run("other", records=records))}
    assert rows["variable OMP_NUM_THREADS"]["second"] == "1"
    assert rows["version of torch"]["second"] == "2.1"
    assert {row["configurations"] for row in rows.values()} == {"pytorch"}


def test_equal_sides_have_no_table_of_differences(base):
    text = section_of(compare.render((base, one_run("other", records=BASE))), "What differs")
    assert text.strip() == "Settings, environment variables and versions of libraries are the same."


def trained(name, seeds, epochs=2, shift=0.0):
    trials = plan(workloads=["mlp-512"], rounds=0, seeds=seeds, epochs=epochs)
    records = []
    for record in build_records(trials):
        accuracy = record.accuracy.model_dump()
        accuracy["final_test_accuracy"] = round(accuracy["final_test_accuracy"] - shift, 4)
        records.append(remade(record, accuracy=accuracy))
    run = build_run(trials)
    compared = compare.ComparedRun(name=name, run=run, cells=group(run, records))
    return compare.Side(runs=(compared,))


def accuracy_rows(*runs):
    return table_with(compare.render(runs), "difference (points)")


def test_accuracies_stand_side_by_side():
    first, other = trained("first", (1,)), trained("other", (1,), shift=0.01)
    for row in accuracy_rows(first, other):
        assert row["difference (points)"] == "-1.00"
        assert (row["first n"], row["its n"], row["verdict"]) == ("1", "1", "INCONCLUSIVE")


def test_ten_seeds_have_a_verdict():
    seeds = range(10)
    same = accuracy_rows(trained("first", seeds), trained("other", seeds))
    assert {row["verdict"] for row in same} == {"EQUIVALENT"}
    other = accuracy_rows(trained("first", seeds), trained("other", seeds, shift=0.01))
    assert {row["verdict"] for row in other} == {"DIFFERENT"}


def test_other_trainings_have_no_difference():
    for row in accuracy_rows(trained("first", (1,)), trained("other", (1,), epochs=3)):
        assert row["verdict"] == "not compared"
        assert row["because"] == "epochs: 2, 3"


def test_a_run_against_one_of_other_cells_says_so():
    timed = one_run("timed")
    text = compare.render((timed, trained("trained", (1,))))
    assert "Nothing is said about speed" in text
    assert "The runs have no timed cell in common." in text


def test_json_is_what_was_judged_unrounded(base):
    runs = (base, one_run("slower", records=noisy_records(seed=3, slower=1.1)))
    compared = compare.compare(runs)
    document = json.loads(json.dumps(compare.as_json(compared), allow_nan=False))
    for claim, cell in zip(document["claims"], compared.cells, strict=True):
        assert claim["comparison"]["ratio"]["value"] == cell.comparison.ratio.value
        assert claim["speedup"]["value"] == 1 / cell.comparison.ratio.value
        assert claim["speedup"]["low"] == 1 / cell.comparison.ratio.high
        assert claim["smallest_detectable"] == cell.claim.detectable
    assert [mean["workloads"] for mean in document["means"]] == [["mlp-512"]] * 4
    assert [one["name"] for one in document["runs"]] == ["base", "slower"]


def test_json_says_what_was_refused():
    before = one_run("before", records=with_settings(BASE, dtype="float32"))
    runs = (before, one_run("after", records=with_settings(BASE, dtype="float16")))
    claims = compare.as_json(compare.compare(runs))["claims"]
    assert {(one["refusal"], one["verdict"], one["comparison"]) for one in claims} == {
        ("dtype: float32, float16", None, None)
    }


def test_what_records_say_cannot_break_the_table(base):
    records = with_settings(BASE, compiled="<b>|`x`|</b>\nnext")
    first = one_run("a|b", records=with_settings(BASE, compiled="no"))
    other = one_run("<i>", records=records)
    assert differences(first, other)
    assert "<b>" not in compare.render((first, other))


def test_a_comparison_needs_two_runs_that_rank(tmp_path):
    first = run_in(tmp_path / "first")
    with pytest.raises(UsageError, match="two runs or more"):
        compare.read([str(first)])
    smoke = run_in(tmp_path / "smoke", profile="smoke")
    with pytest.raises(UsageError, match="is a smoke run"):
        compare.read([str(first), str(smoke)])


def test_two_folders_of_one_name_have_names_of_their_own(tmp_path):
    pair = [run_in(tmp_path / which / "run") for which in "ab"]
    assert [one.name for one in compare.read([*map(str, pair)])] == ["run (1)", "run (2)"]


def test_a_gpu_has_the_device_for_itself():
    trials = plan(workloads=["mlp-512"], devices=("cuda:0",), rounds=6, seeds=())
    records = [build_record(trial, gpu=True) for trial in trials]
    both = one_run("both", records=records, trials=trials, gpu=True)
    fewer = [trial for trial in trials if trial.cell.backend == "pytorch"]
    alone = one_run(
        "alone", records=[one for one in records if one.trial.backend == "pytorch"], trials=fewer,
        gpu=True,
    )  # fmt: skip
    assert {one.notes for one in compare.compare((both, alone)).cells} == {()}


def test_cells_of_another_batch_size_are_others(base):
    trials = [replace(one, cell=one.cell.but(batch_size=64)) for one in TRIALS]
    assert compare.compare((base, one_run("other", trials=trials))).cells == ()
