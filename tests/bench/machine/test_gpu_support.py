"""Verdicts on whether a build can compute on a GPU follow from the build and the driver."""

from dataclasses import replace

import pytest

from bench.machine.devices import Gpu
from bench.machine.gpu_support import OK, Build, kernel_form, support, version

GPU = Gpu(device="cuda:0", name="NVIDIA T4", uuid="GPU-1", capability=(7, 5), driver_cuda=(12, 4))
# as TensorFlow lists it: the newest also as PTX
BUILD = Build(
    devices=("cpu", "cuda:0"),
    cuda="12.5.1",
    architectures=("sm_60", "sm_80", "sm_90", "compute_90"),
)


def form_for(capability, *architectures):
    return kernel_form(
        replace(BUILD, architectures=architectures), replace(GPU, capability=capability)
    )


@pytest.mark.parametrize(
    ("capability", "architectures", "expected"),
    [
        ((9, 0), ("sm_90",), "as machine code"),
        ((8, 9), ("sm_80",), "as machine code"),
        ((8, 0), ("sm_86",), "not at all"),
        ((9, 0), ("sm_80",), "not at all"),
        ((7, 5), ("sm_80", "sm_90"), "not at all"),
        ((12, 0), ("sm_90", "compute_90"), "as PTX"),
        ((9, 0), ("compute_90",), "as PTX"),
        ((8, 9), ("compute_90",), "not at all"),
        ((9, 0), ("compute_80", "sm_90"), "as machine code"),
        # the last digit is the minor version, the digits before it are the major version
        ((12, 0), ("sm_120",), "as machine code"),
        ((12, 1), ("sm_120",), "as machine code"),
        ((1, 2), ("sm_120",), "not at all"),
        # for one capability, or for a family
        ((9, 0), ("sm_90a",), "as machine code"),
        ((10, 3), ("sm_100a", "compute_100a"), "not at all"),
        ((10, 3), ("sm_100f",), "as machine code"),
        ((10, 3), ("compute_100f",), "as PTX"),
        ((12, 0), ("compute_100f",), "not at all"),
        # a name of another form gives no information
        ((9, 0), ("gfx90a",), "unknown"),
        ((9, 0), ("gfx90a", "sm_80"), "not at all"),
        ((9, 0), (), "unknown"),
        (None, ("sm_80",), "unknown"),
    ],
)
def test_a_build_has_kernels_for_a_gpu_or_not(capability, architectures, expected):
    assert form_for(capability, *architectures) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12.5.1", (12, 5)), ("13", (13, 0)), ("13.2", (13, 2)), (None, None), ("none", None)],
)
def test_versions_are_compared_as_numbers(text, expected):
    assert version(text) == expected


HOPPER = replace(GPU, capability=(9, 0))


@pytest.mark.parametrize("driver", [(12, 0), (12, 4), (13, 0), None])
def test_a_driver_of_the_same_or_a_newer_major_version_is_accepted(driver):
    assert support(BUILD, replace(HOPPER, driver_cuda=driver)) == OK


def test_a_driver_of_an_older_major_version_is_refused():
    # the framework then finds no GPU; the reason given is the driver
    build = Build(devices=("cpu",), cuda="13.2", architectures=("sm_75",))
    result = support(build, GPU)
    assert (result.verdict, result.hopeless) == ("unsupported", True)
    assert result.reason == (
        "driver too old. Expected: one for CUDA 13, which this build was made for. "
        "Received: one for CUDA 12.4 at most. Update the NVIDIA driver, or take a build for CUDA 12"
    )


def test_a_gpu_without_kernels_is_an_unsupported_architecture():
    result = support(BUILD, GPU)
    assert result.verdict == "unsupported"
    assert result.reason == (
        "unsupported architecture. Expected: one of sm_60, sm_80, sm_90, compute_90, which this "
        "build has kernels for. Received: sm_75 (NVIDIA T4, compute capability 7.5). "
        "Take a build that has its kernels"
    )


BLACKWELL = replace(GPU, name="NVIDIA B200", capability=(10, 0), driver_cuda=(13, 0))


def test_kernels_that_have_to_be_compiled_first_are_doubtful():
    result = support(BUILD, BLACKWELL)
    assert (result.verdict, result.hopeless) == ("doubtful", False)
    assert result.reason == (
        "no kernels for sm_100 (NVIDIA B200, compute capability 10.0): the driver has to compile "
        "them from PTX, which may take half an hour at first"
    )


def test_a_driver_older_than_the_ptx_can_not_compile_it():
    result = support(BUILD, replace(BLACKWELL, driver_cuda=(12, 4)))
    assert result.verdict == "unsupported"
    assert "Expected: a driver for CUDA 12.5. Received: one for CUDA 12.4 at most" in result.reason


def test_a_build_without_cuda_says_so():
    result = support(Build(devices=("cpu",)), HOPPER)
    assert result.verdict == "unavailable"
    assert result.reason == ("made without CUDA. Expected: cuda:0 among its devices. Received: cpu")


def test_a_gpu_that_the_build_does_not_find_counts_before_missing_kernels():
    result = support(replace(BUILD, devices=("cpu",)), BLACKWELL)
    assert (result.verdict, result.hopeless) == ("unavailable", True)
    assert result.reason.startswith("it does not find this GPU. ")


def test_unknown_facts_do_not_lower_the_verdict():
    unknown = Gpu(device="cuda:0", name="NVIDIA T4")
    for build in (BUILD, replace(BUILD, cuda=None), replace(BUILD, architectures=None)):
        assert support(build, unknown) == OK
    assert support(replace(BUILD, cuda=None, architectures=None), GPU) == OK
