"""The command line helps: it names what was meant, what a folder lacks, and what options take."""

import re

import pytest


@pytest.mark.parametrize("command", ["report", "show"])
@pytest.mark.parametrize("has_link", [False, True])
def test_a_folder_without_a_run_is_refused_for_that_reason(samestep, tmp_path, command, has_link):
    # a link of another program is none of our business in a folder that is not ours
    if has_link:
        (tmp_path / "link").symlink_to("nowhere")
    code, out, err = samestep(command, str(tmp_path))
    assert (code, out) == (1, "")
    assert err == (
        f"samestep: {tmp_path} holds no run. Expected: a run's folder, with run.json. "
        "Received: No such file or directory\n"
    )


@pytest.mark.parametrize(
    ("option", "value", "meant"),
    [
        ("--workload", "mlp512", "mlp-512"),
        ("--workload", "CNN", "cnn"),
        ("--backend", "torch", "pytorch"),
        ("--backend", "tf", "keras-tensorflow"),
        ("--backend", "tensorflow", "keras-tensorflow"),
        ("--backend", "pytorhc,jaxx", "pytorch, jax"),
    ],
)
def test_a_known_name_is_suggested_for_an_unknown_one(samestep, option, value, meant):
    code, out, err = samestep("run", option, value)
    assert (code, out) == (2, "")
    assert err.endswith(f". Did you mean {meant}?\n")


def test_nothing_is_suggested_for_a_name_that_resembles_none(samestep):
    assert "Did you mean" not in samestep("run", "--backend", "mxnet")[2]


@pytest.mark.parametrize("command", ["run", "parity", "doctor"])
def test_the_help_shows_names_and_no_types_of_python(samestep, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    code, out, _ = samestep(command, "--help")
    options_of = [line for line in out.splitlines() if re.match(r"\W+--", line)]
    assert code == 0
    assert any("NAME,NAME" in line for line in options_of)
    # typer's own flag shows one
    assert [line for line in options_of if "<" in line and "--help" not in line] == []
