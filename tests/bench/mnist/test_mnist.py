"""MNIST is verified, cached and drawn from in the same way for every backend."""

import gzip
import hashlib
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import mnist
from bench.errors import DataError, WriteError
from bench.mnist import cache
from bench.mnist.draws import glorot_limit, stream
from bench.mnist.idx import (
    ARCHIVES,
    SOURCES,
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_LABELS,
    read_archive,
    read_idx,
)
from bench.spec import TEST_IMAGES as TEST_COUNT
from bench.spec import TRAIN_IMAGES as TRAIN_COUNT
from bench.workloads import CNN, MLP_512_256, WORKLOADS

ROOT = Path(__file__).parent.parent.parent.parent
TORCHVISION_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
DATA_DIGEST = "4383a647503f96b5c5a1505911abce835d8a995abf4caa90e4f357566362973d"


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def data(shared_cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMESTEP_CACHE", str(shared_cache))
        return mnist.load()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMESTEP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def link_archives(folder):
    for source in SOURCES:
        (folder / source.archive_name).symlink_to(ARCHIVES / source.archive_name)


def flip_bit(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def assert_one_line(error, path, expected):
    message = str(error.value)
    assert "\n" not in message
    for part in (str(path), f"Expected: sha256 {expected}", "Received: "):
        assert part in message


# the archives


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_archives_are_the_originals(source):
    content = (ARCHIVES / source.archive_name).read_bytes()
    assert len(content) == source.archive_bytes
    assert hashlib.sha256(content).hexdigest() == source.archive_sha256
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert md5 == TORCHVISION_MD5[source.archive_name]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_the_licence_note_lists_every_archive(source):
    note = (ARCHIVES / "LICENSE.md").read_text(encoding="utf-8")
    for part in (source.archive_name, source.archive_sha256, source.array_sha256):
        assert f"`{part}`" in note


def test_shapes_agree_with_the_specification():
    assert [source.shape[0] for source in SOURCES] == [TRAIN_COUNT] * 2 + [TEST_COUNT] * 2
    assert TEST_IMAGES.header.hex() == "00000803000027100000001c0000001c"
    assert TEST_LABELS.header.hex() == "0000080100002710"


# the loaded data


def test_the_packaged_data_is_loaded(data):
    assert data.train_images.shape == (60_000, 28, 28)
    assert data.test_images.shape == (10_000, 28, 28)
    assert data.train_images.dtype == data.test_images.dtype == np.uint8
    assert data.train_labels.dtype == data.test_labels.dtype == np.int64
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.train_labels).tolist() == counts
    assert data.test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert data.train_images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)


@pytest.mark.parametrize("name", ["train_images", "train_labels", "test_images", "test_labels"])
def test_arrays_are_read_only(data, name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(data, name)[0] = 0


def test_the_digest_of_the_data_depends_on_its_values(data):
    assert mnist.data_digest(data) == DATA_DIGEST
    same = replace(data, train_labels=data.train_labels.astype(np.uint8))
    assert mnist.data_digest(same) == DATA_DIGEST
    swapped = replace(data, train_labels=np.roll(data.train_labels, 1))
    assert mnist.data_digest(swapped) != DATA_DIGEST


@pytest.mark.parametrize("shape", [(784,), (28, 28, 1)])
def test_scaled_pixels_are_float32_from_0_to_1(data, shape):
    pixels = mnist.scaled(data.test_images[:100], shape)
    assert pixels.shape == (100, *shape)
    assert pixels.dtype == np.float32
    assert pixels.flags.writeable
    expected = data.test_images[:100].astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(pixels.ravel(), expected.ravel())
    assert (pixels.min(), pixels.max()) == (0, 1)


def test_scaled_refuses_to_scale_twice(data):
    once = mnist.scaled(data.test_images[:2], (784,))
    with pytest.raises(DataError, match=r"Expected: .* uint8\. Received: float32"):
        mnist.scaled(once, (784,))


# a folder of IDX files


def test_a_folder_of_archives_is_loaded(tmp_path):
    link_archives(tmp_path)
    assert mnist.data_digest(mnist.load(tmp_path)) == DATA_DIGEST


def test_a_folder_of_decompressed_files_is_loaded(data, shared_cache):
    (raw,) = shared_cache.glob("mnist-*/MNIST/raw")
    assert mnist.data_digest(mnist.load(raw)) == DATA_DIGEST


def make_empty(path):
    path.write_bytes(b"")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def append_byte(path):
    path.write_bytes(path.read_bytes() + b"\0")


def flip_last_bit(path):
    flip_bit(path, -1)


def flip_header_bit(path):
    flip_bit(path, 3)


def replace_by_page(path):
    path.write_bytes(b"<html>404 Not Found</html>")


FAULTS = [
    Path.unlink,
    make_empty,
    truncate,
    append_byte,
    flip_last_bit,
    flip_header_bit,
    replace_by_page,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_damaged_file_is_refused_and_left_unchanged(tmp_path, fault, ending):
    link_archives(tmp_path)
    archive = tmp_path / TRAIN_LABELS.archive_name
    content = archive.read_bytes()
    archive.unlink()
    path = tmp_path / f"{TRAIN_LABELS.name}{ending}"
    path.write_bytes(content if ending else gzip.decompress(content))
    fault(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(DataError) as error:
        mnist.arrays._content(TRAIN_LABELS, tmp_path)
    # without the decompressed file the archive is read
    expected = path if path.exists() else archive
    hashes = {"": TRAIN_LABELS.array_sha256, ".gz": TRAIN_LABELS.archive_sha256}
    assert_one_line(error, expected, hashes["".join(expected.suffixes)])
    assert "or name no folder to use the packaged data" in str(error.value)
    assert (path.read_bytes() if path.exists() else None) == before


def test_load_names_the_missing_file(tmp_path):
    link_archives(tmp_path)
    (tmp_path / TEST_LABELS.archive_name).unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz .*Received: no such file"):
        mnist.load(tmp_path)


def test_swapped_images_and_labels_are_refused(tmp_path):
    for source, other in ((TEST_IMAGES, TEST_LABELS), (TEST_LABELS, TEST_IMAGES)):
        path = tmp_path / source.archive_name
        path.symlink_to(ARCHIVES / other.archive_name)
        with pytest.raises(DataError) as error:
            read_archive(path, source, "")
        assert_one_line(error, path, source.archive_sha256)


def test_swapped_training_and_test_labels_are_refused(tmp_path):
    path = tmp_path / TRAIN_LABELS.name
    path.write_bytes(gzip.decompress((ARCHIVES / TEST_LABELS.archive_name).read_bytes()))
    with pytest.raises(DataError, match="after the header 0000080100002710") as error:
        read_idx(path, TRAIN_LABELS, "")
    assert_one_line(error, path, TRAIN_LABELS.array_sha256)


def test_an_archive_with_too_much_content_is_not_decompressed_completely(tmp_path):
    bomb = gzip.compress(bytes(10**6))
    path = tmp_path / TEST_LABELS.archive_name
    path.write_bytes(bomb)
    known = replace(
        TEST_LABELS, archive_bytes=len(bomb), archive_sha256=hashlib.sha256(bomb).hexdigest()
    )
    with pytest.raises(DataError, match="after the header 0000000000000000"):
        read_archive(path, known, "")


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / TEST_LABELS.name).mkdir()
    with pytest.raises(DataError, match="no such file"):
        read_idx(tmp_path / TEST_LABELS.name, TEST_LABELS, "")


def test_a_file_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / TEST_LABELS.name
    path.write_bytes(b"x")

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="Received: Permission denied"):
        read_idx(path, TEST_LABELS, "")


# the cache


def cached_file():
    return mnist.cache_folder() / "MNIST" / "raw" / TEST_LABELS.name


def test_cache_is_written_once_and_read_after(empty_cache, monkeypatch):
    first = cache.cached_content(TEST_LABELS)
    assert cached_file().read_bytes() == first
    monkeypatch.setattr(cache, "ARCHIVES", Path("nowhere"))
    assert cache.cached_content(TEST_LABELS) == first


@pytest.mark.parametrize("fault", FAULTS[1:], ids=lambda fault: fault.__name__)
def test_a_poisoned_cache_is_decoded_again_with_a_warning(empty_cache, caplog, fault):
    content = cache.cached_content(TEST_LABELS)
    fault(cached_file())
    assert cache.cached_content(TEST_LABELS) == content
    assert cached_file().read_bytes() == content
    (warning,) = caplog.messages
    assert "\n" not in warning
    for part in (str(cached_file()), TEST_LABELS.array_sha256, "Received: "):
        assert part in warning


def test_a_missing_cache_is_no_warning(empty_cache, caplog):
    with caplog.at_level(logging.DEBUG):
        cache.cached_content(TEST_LABELS)
    assert caplog.messages == []


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch, caplog):
    occupied = tmp_path / "file"
    occupied.write_bytes(b"")
    monkeypatch.setenv("SAMESTEP_CACHE", str(occupied))
    content = cache.cached_content(TEST_LABELS)
    assert hashlib.sha256(content[8:]).hexdigest() == TEST_LABELS.array_sha256
    assert caplog.messages == []
    with pytest.raises(WriteError, match=r"cannot write .*Set SAMESTEP_CACHE to a folder"):
        mnist.raw_folder()


def test_a_damaged_installation_is_an_error(empty_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "ARCHIVES", tmp_path)
    with pytest.raises(DataError, match=r"no such file.*Install samestep again"):
        cache.cached_content(TEST_LABELS)


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SAMESTEP_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert mnist.cache_folder().parent == tmp_path / ".cache" / "samestep"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert mnist.cache_folder().parent == tmp_path / ".cache" / "samestep"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert mnist.cache_folder().parent == tmp_path / "xdg" / "samestep"
    monkeypatch.setenv("SAMESTEP_CACHE", str(tmp_path / "own"))
    assert mnist.cache_folder().parent == tmp_path / "own"


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def raise_no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", raise_no_home)
    monkeypatch.delenv("SAMESTEP_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert len(cache.cached_content(TEST_LABELS)) == TEST_LABELS.idx_bytes
    with pytest.raises(WriteError, match=r"no home folder .*\. Set SAMESTEP_CACHE"):
        mnist.raw_folder()


def test_raw_folder_is_verified_at_every_call(data, shared_cache, monkeypatch, caplog):
    monkeypatch.setenv("SAMESTEP_CACHE", str(shared_cache))
    raw = mnist.raw_folder() / "MNIST" / "raw"
    assert sorted(path.name for path in raw.iterdir()) == sorted(source.name for source in SOURCES)
    flip_last_bit(raw / TRAIN_LABELS.name)
    mnist.raw_folder()
    assert len(caplog.messages) == 1
    assert read_idx(raw / TRAIN_LABELS.name, TRAIN_LABELS, "")[8:10] == b"\x05\x00"


def test_two_processes_may_fill_the_cache_at_once(empty_cache):
    code = "from bench import mnist; print(mnist.data_digest(mnist.load())); mnist.raw_folder()"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "SAMESTEP_CACHE": str(empty_cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60) for process in processes] == [
        (f"{DATA_DIGEST}\n", "")
    ] * 2
    assert len(list(empty_cache.glob("*/MNIST/raw/*"))) == len(SOURCES)
    assert list(empty_cache.glob("*/MNIST/raw/.*")) == []


def test_a_worker_needs_only_numpy():
    code = (
        "import sys\n"
        "for name in ('pydantic', 'scipy', 'psutil', 'rich'): sys.modules[name] = None\n"
        "import bench.mnist"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, check=True)


# draws


@given(st.integers(0, 2**40), st.integers(0, 200), st.integers(0, 500))
def test_batch_order_is_a_permutation_and_repeats(seed, epoch, count):
    order = mnist.batch_order(seed, epoch, count)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(count))
    np.testing.assert_array_equal(order, mnist.batch_order(seed, epoch, count))


def test_batch_orders_differ_by_seed_and_epoch():
    orders = {
        mnist.digest_of({"order": mnist.batch_order(seed, epoch, 1000)})
        for seed in range(20)
        for epoch in range(20)
    }
    assert len(orders) == 400


def test_draws_are_pinned():
    assert mnist.batch_order(0, 0, 10).tolist() == [5, 6, 0, 7, 3, 4, 2, 8, 1, 9]
    assert mnist.digest_of({"order": mnist.batch_order(7, 3, 60_000)}) == (
        "aeeab4e45bf5095498019c0936026bed3fe722a2de0699ef832d8cbe6f9b7a37"
    )
    assert mnist.digest_of(mnist.initial_parameters(MLP_512_256, 0)) == (
        "2291166f4e6aeefae9f0011e4a60da05dad080f512002fe5e8db9457ba6bd246"
    )
    assert mnist.digest_of(mnist.initial_parameters(CNN, 0)) == (
        "0145db2228abc23bc2b4488b3c0da5ae7381c7bec42b2b6820ea5c2a85768f9b"
    )


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)
def test_initial_parameters_are_glorot_uniform_with_zero_biases(workload):
    parameters = mnist.initial_parameters(workload, 3, np.float64)
    shapes = workload.parameter_shapes()
    assert list(parameters) == list(shapes)
    for name, array in parameters.items():
        assert array.shape == shapes[name]
        assert array.dtype == np.float64
        if name.endswith("/bias"):
            assert not array.any()
            continue
        limit = glorot_limit(array.shape)
        assert np.abs(array).max() <= limit
        # a uniform variable on (-limit, limit): mean 0, variance limit^2 / 3
        assert abs(array.mean()) < 4 * limit / np.sqrt(3 * array.size)
        assert array.std() == pytest.approx(limit / np.sqrt(3), rel=4 / np.sqrt(array.size))


def test_glorot_limits_follow_from_the_shape():
    assert glorot_limit((784, 512)) == pytest.approx(np.sqrt(6 / 1296))
    assert glorot_limit((5, 5, 1, 32)) == pytest.approx(np.sqrt(6 / (25 * 33)))


def test_every_dtype_starts_from_the_same_numbers():
    exact = mnist.initial_parameters(MLP_512_256, 0, np.float64)
    for name, array in mnist.initial_parameters(MLP_512_256, 0).items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, exact[name].astype(np.float32))


def test_parameters_differ_by_seed_and_by_name():
    parameters, others = (mnist.initial_parameters(MLP_512_256, seed) for seed in (0, 1))
    assert not np.array_equal(parameters["dense_0/kernel"], others["dense_0/kernel"])
    first, second = parameters["dense_0/kernel"].ravel(), parameters["dense_1/kernel"].ravel()
    assert np.intersect1d(first, second).size < 0.05 * second.size


def test_streams_do_not_collide():
    draws = {
        stream(purpose, seed, index).randint(2**31, size=4).tobytes()
        for purpose in ("batch-order", "parameters/dense_0/kernel")
        for seed in range(-10, 20)
        for index in range(20)
    }
    assert len(draws) == 2 * 30 * 20


def test_the_digest_depends_on_everything_except_the_order_of_names():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    digest = mnist.digest_of({"a": array, "b": array + 1})
    assert mnist.digest_of({"b": array + 1, "a": array}) == digest
    assert mnist.digest_of({"a": array.astype(">f4"), "b": array + 1}) == digest
    assert mnist.digest_of({"a": np.asfortranarray(array), "b": array + 1}) == digest
    others = (
        {"a": array},
        {"a": array, "c": array + 1},
        {"a": array + 1, "b": array},
        {"a": array.reshape(3, 2), "b": array + 1},
        {"a": array.astype(np.float64), "b": array + 1},
        {"a": array.view(np.int32), "b": array + 1},
        {"a": -array, "b": array + 1},
    )
    assert digest not in {mnist.digest_of(other) for other in others}


def test_the_digest_distinguishes_scalars_and_empty_arrays():
    scalar = {"loss": np.array(1.5)}
    assert mnist.digest_of(scalar) != mnist.digest_of({"loss": np.array([1.5])})
    assert mnist.digest_of({"none": np.zeros((0, 3))}) != mnist.digest_of({})
