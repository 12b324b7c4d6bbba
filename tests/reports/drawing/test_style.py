"""Colours of backends, and texts that a font can draw."""

from reports.drawing.style import (
    BACKEND_COLOURS,
    COLOURS,
    PLUG_IN_COLOURS,
    backend_colours,
    colours_of,
    drawable,
)
from reports.results.report import Report
from tests.records import build_run, plan

OURS = ("jax", "keras-jax", "keras-tensorflow", "keras-torch", "pytorch")


def colours_in_a_run(*backends: str) -> dict[str, str]:
    run = build_run(plan(workloads=("mlp-512",), backends=backends, rounds=1, seeds=()))
    return backend_colours(Report(run, []).cells)


def test_a_backend_has_the_same_colour_in_every_run():
    whole = colours_in_a_run(*OURS)
    assert len(set(whole.values())) == len(OURS)
    for name in OURS:
        assert colours_in_a_run(name, "another") == {
            name: whole[name],
            "another": PLUG_IN_COLOURS[0],
        }


def test_plug_ins_have_the_rest_of_the_palette_by_their_names():
    colours = colours_of(["zig", "jax", "flax-nnx"])
    assert [colours[name] for name in ("flax-nnx", "zig")] == list(PLUG_IN_COLOURS)
    assert {*PLUG_IN_COLOURS, *BACKEND_COLOURS.values()} == set(COLOURS)
    assert not set(PLUG_IN_COLOURS) & set(BACKEND_COLOURS.values())


def test_more_plug_ins_than_colours_begin_again():
    colours = colours_of(["a", "b", "c"])
    assert colours["a"] == colours["c"] != colours["b"]


def test_characters_without_a_shape_become_question_marks():
    assert drawable("Ryzen™ 9, µs · 微") == "Ryzen™ 9, µs · ?"
