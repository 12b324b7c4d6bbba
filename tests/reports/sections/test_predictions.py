"""Predictions, their figures and text twins, recomputed from constructed records."""

from dataclasses import replace

import numpy as np
import pytest

from bench import mnist
from bench.workloads import WORKLOADS
from reports.drawing import confusion
from reports.drawing import gallery as galleries
from reports.drawing.confusion import confusions
from reports.drawing.gallery import COLUMN, COLUMNS, LEFT, SIDE, gallery
from reports.results.names import framework
from reports.results.predictions import images_and_classes
from reports.results.report import Report
from reports.results.shown_images import band_of_all, bands, draw
from reports.sections.predictions import part
from tests.records import BACKENDS, build_record, build_records, build_run, plan
from tests.reports.tables_of import compose, table_with

KERAS, PYTORCH = BACKENDS
PUBLISHED = WORKLOADS["mlp-512-256"].published[0].wrong_indices
SAMPLED = WORKLOADS["mlp-1000"].published[0].sampled_wrong_indices
CONFIDENCE = np.random.default_rng(5).uniform(0.3, 1.0, 10_000).round(6)
THIRTY = tuple(range(100, 3_100, 100))


@pytest.fixture(scope="module")
def data():
    return mnist.load()


def answers(wrong, step=1, count=10_000):
    """The right classes, but for these images the class `step` further on."""
    classes = images_and_classes()[1].copy()
    for index in wrong:
        classes[index] = (classes[index] + step) % 10
    return classes[:count]


def trained(trial, predicted, **changes):
    good = build_record(trial).accuracy.model_dump()
    right = np.mean(predicted == images_and_classes()[1][: len(predicted)])
    accuracy = {
        **good, "predicted": predicted.tolist(), "final_test_accuracy": float(right),
        "confidence": CONFIDENCE[: len(predicted)].tolist(), **changes,
    }  # fmt: skip
    return build_record(trial, accuracy=accuracy)


def report_of(by_backend, workload="mlp-512-256", seeds=(3,), **changes):
    """A cell for each backend, whose every training gives these answers."""
    trials = plan(workloads=[workload], backends=tuple(by_backend), rounds=0, seeds=seeds)
    records = [trained(trial, by_backend[trial.cell.backend], **changes) for trial in trials]
    return Report(build_run(trials), records)


def predictions_of(report):
    (workload,) = report.workloads
    return workload.predictions


def text_of(report):
    (workload,) = report.workloads
    return "\n\n".join(part(workload)) + "\n"


def test_the_numbers_of_a_training(data):
    predicted = np.random.default_rng(1).integers(0, 10, 10_000)
    (one,) = predictions_of(report_of({PYTORCH: predicted}))
    expected = np.zeros((10, 10), dtype=int)
    for true_class, answer in zip(data.test_labels, predicted, strict=True):
        expected[true_class, answer] += 1
    assert one.confusion.tolist() == expected.tolist()
    assert one.wrong_indices.tolist() == [
        i for i in range(10_000) if predicted[i] != data.test_labels[i]
    ]
    assert len(one.right_indices) == np.trace(expected) == one.claimed_right


def test_the_first_declared_seed_counts():
    trials = plan(workloads=["mlp-512"], backends=[PYTORCH], rounds=0, seeds=(8, 2))
    wrong = {8: (5, 6), 2: (7,)}
    records = [trained(trial, answers(wrong[trial.seed])) for trial in trials]
    (one,) = predictions_of(Report(build_run(trials), records[::-1]))
    assert (one.seed, one.wrong_indices.tolist()) == (8, [5, 6])


def test_a_training_of_more_epochs_is_not_the_first():
    (trial,) = plan(workloads=["mlp-512-256"], backends=[PYTORCH], rounds=0, seeds=(3,))
    longer = replace(trial, accuracy=replace(trial.accuracy, epochs=50, longer=True))
    records = [trained(longer, answers([1])), trained(trial, answers([2]))]
    (one,) = predictions_of(Report(build_run([trial, longer]), records))
    assert one.wrong_indices.tolist() == [2]


def test_without_the_first_seed_there_is_a_reason():
    trials = plan(workloads=["mlp-512"], backends=[PYTORCH], rounds=0, seeds=(8, 2))
    report = Report(build_run(trials), [trained(trials[1], answers([7]))])
    assert predictions_of(report) == []
    assert "No predictions of PyTorch (cpu) are shown: the training with seed 8" in text_of(report)


def test_other_images_than_the_test_images_are_not_shown():
    short = answers([5], count=500)
    report = report_of({KERAS: answers([5]), PYTORCH: short})
    text = text_of(report)
    assert "Expected: 10,000 predictions, one for each test image. Received: 500." in text
    rows = table_with(text, "first ten predictions")
    assert {row["configuration"] for row in rows} == {"Keras on TensorFlow (cpu)"}
    alone = report_of({PYTORCH: short})
    assert "figures/" not in text_of(alone)
    assert [*galleries.figures(alone), *confusion.figures(alone)] == []


def test_a_workload_without_training_has_no_section():
    trials = plan(workloads=["mlp-512"], rounds=1, seeds=())
    (workload,) = Report(build_run(trials), build_records(trials)).workloads
    assert list(part(workload)) == []


def test_a_record_that_contradicts_itself_is_named():
    good = {PYTORCH: answers(THIRTY)}
    assert "contradicts itself" not in text_of(report_of(good))
    told = text_of(report_of(good, final_test_accuracy=0.98))
    assert "by its test accuracy 9,800 images are right, by its predictions 9,970." in told


# the confusion matrix


@pytest.mark.parametrize("constant", [True, False])
def test_the_confusion_figure_has_what_the_table_has(constant):
    predicted = np.full(10_000, 7) if constant else answers(THIRTY)
    report = report_of({KERAS: answers(()), PYTORCH: predicted})
    figure = confusions(predictions_of(report))
    rows = table_with(text_of(report), "class", "0", "9")
    for axes, backend in zip(figure.axes, (KERAS, PYTORCH), strict=True):
        squares = {tuple(map(int, t.get_position()))[::-1]: t.get_text() for t in axes.texts}
        there = [row for row in rows if row["configuration"] == f"{framework(backend)} (cpu)"]
        assert [row["class"] for row in there] == list("0123456789")
        for true_class, row in enumerate(there):
            shown = [squares.get((true_class, predicted), "0") for predicted in range(10)]
            assert shown == [row[str(predicted)] for predicted in range(10)]
        mistakes = [int(r[str(i)]) for r in there for i in range(10) if r["class"] != str(i)]
        assert axes.images[0].get_clim() == (0, max(*mistakes, 1))


def test_five_cells_have_five_panels_that_do_not_overlap():
    found = predictions_of(report_of({f"backend-{i}": answers([i]) for i in range(5)}))
    places = [axes.get_position() for axes in confusions(found).axes]
    assert len(places) == 5
    assert all(0 < p.x0 < p.x1 < 1 and 0 < p.y0 < p.y1 < 1 for p in places)
    assert not any(p.overlaps(q) for i, p in enumerate(places) for q in places[:i])


# galleries


def gallery_rows(text):
    return table_with(text, "shown as", "image", "p")


def test_the_gallery_of_a_cell(data):
    predicted = answers(THIRTY, step=4)
    report = report_of({PYTORCH: predicted})
    rows = gallery_rows(text_of(report))
    right = [index for index in range(10_000) if index not in THIRTY]
    indices = [int(row["image"]) for row in rows]
    assert indices[:18] == [*right[:9], *THIRTY[:9]]
    assert len(indices[18:]) == 16
    for row, index in zip(rows, indices, strict=True):
        assert int(row["class"]) == data.test_labels[index]
        assert int(row["predicted"]) == predicted[index]
        assert row["p"] == f"{CONFIDENCE[index]:.3f}"
    assert list(dict.fromkeys(row["shown as"] for row in rows)) == [
        "The first 9 of 9,970 right",
        "The first 9 of 30 wrong",
        "16 of 30 wrong, drawn with seed 3",
    ]


def test_the_picture_of_a_gallery_has_what_its_table_has(data):
    report = report_of({PYTORCH: answers(THIRTY)})
    (one,) = predictions_of(report)
    shown = bands(one)
    rows = gallery_rows(text_of(report))
    (axes,) = gallery(shown).axes
    texts = {text.get_text(): text.get_position() for text in axes.texts}
    assert {band.title for band in shown} <= set(texts)
    captions = [text for text in axes.texts if text.get_text().startswith("Predicted")]
    assert [text.get_text() for text in captions] == [
        f"Predicted {row['predicted']}\nClass {row['class']}\np = {row['p']}" for row in rows
    ]
    sheet = axes.images[0].get_array()
    assert sheet.shape[1] == COLUMN * COLUMNS
    for text, row in zip(captions, rows, strict=True):
        x, y = text.get_position()
        left, top = int(x - SIDE / 2), y - 1 - SIDE
        assert (left - LEFT) % COLUMN == 0
        tile = sheet[top : top + SIDE, left : left + SIDE]
        assert np.array_equal(tile, data.test_images[int(row["image"])])


def test_the_draw_depends_on_the_seed_alone():
    (one,) = predictions_of(report_of({PYTORCH: answers(THIRTY)}))
    (same,) = predictions_of(report_of({KERAS: answers(THIRTY)}))
    (other,) = predictions_of(report_of({PYTORCH: answers(THIRTY)}, seeds=(4,)))
    lot = draw(one).tolist()
    by_hand = mnist.stream("wrong-images", 3).permutation(THIRTY)[:16]
    assert lot == sorted(by_hand.tolist()) == draw(same).tolist()
    assert lot == sorted(set(lot) & set(THIRTY))
    assert lot != draw(other).tolist()


@pytest.mark.parametrize(
    ("wrong", "titles"),
    [
        ((), ["The first 9 of 10,000 right"]),
        (
            (0, 7),
            [
                "The first 9 of 9,998 right",
                "The first 2 of 2 wrong",
                "2 of 2 wrong, drawn with seed 3",
            ],
        ),
        (range(10_000), ["The first 9 of 10,000 wrong", "16 of 10,000 wrong, drawn with seed 3"]),
    ],
)
def test_fewer_images_than_there_is_room_for(wrong, titles):
    report = report_of({PYTORCH: answers(wrong)})
    (one,) = predictions_of(report)
    assert [band.title for band in bands(one)] == titles
    assert list(dict.fromkeys(row["shown as"] for row in gallery_rows(text_of(report)))) == titles
    ((name, content),) = galleries.figures(report)
    assert name == "images-mlp-512-256_pytorch_cpu_default_float32_b128.png"
    assert content.startswith(b"\x89PNG")


# what all cells get wrong


def test_images_that_all_cells_get_wrong(data):
    # of 18 common ones the two answers differ for all
    common = [*range(2_000, 3_800, 100)]
    report = report_of({KERAS: answers([5, *common], 1), PYTORCH: answers([6, *common], 2)})
    text = text_of(report)
    first = ", ".join(map(str, common[:16]))
    assert (
        f"Wrong in every one of the 2 configurations: 18 of the images; the first {first}." in text
    )
    rows = [
        (int(row["image"]), int(row["class"]), row["predicted"])
        for row in table_with(text.split("Wrong in every")[1], "image", "predicted")
    ]
    labels = data.test_labels.tolist()
    expected = [
        (i, labels[i], ", ".join(map(str, sorted({(labels[i] + 1) % 10, (labels[i] + 2) % 10}))))
        for i in common[:16]
    ]
    assert rows == expected
    band = band_of_all(predictions_of(report))
    captions = [image.caption for image in band.images]
    assert captions == [f"Predicted\n{answer}\nClass {label}" for _, label, answer in expected]
    assert "wrong-in-all-mlp-512-256.png" in dict(galleries.figures(report))


def test_nothing_in_common():
    report = report_of({KERAS: answers([5]), PYTORCH: answers([6])})
    assert "No image is wrong in every one of the 2 configurations." in text_of(report)
    assert not [name for name, _ in galleries.figures(report) if name.startswith("wrong")]
    assert "in every one" not in text_of(report_of({PYTORCH: answers([6])}))


# what sources printed


def test_the_overlap_with_the_194_published_images():
    others = [index for index in range(20) if index not in PUBLISHED]
    report = report_of({PYTORCH: answers([*PUBLISHED[:11], *others])})
    text = text_of(report)
    assert "194 images published as wrong in AI - " in text
    (row,) = table_with(text, "of these wrong here too")
    assert row["of these wrong here too"] == "11"
    # 31 wrong images times 194 over 10,000
    assert (len(others), row["by chance"]) == (20, "0.601")


def test_the_overlap_with_a_published_sample():
    report = report_of({PYTORCH: answers([*SAMPLED[:4], 3])}, workload="mlp-1000")
    text = text_of(report)
    assert "A sample of 16 wrong images published in " in text
    (row,) = table_with(text, "of these wrong here too")
    # 5 times 16 over 10,000
    assert (row["of these wrong here too"], row["by chance"]) == ("4", "0.00800")


def test_the_first_ten_predictions_beside_the_published_ones():
    report = report_of({KERAS: answers(()), PYTORCH: answers([8])}, workload="mlp-1000")
    text = text_of(report)
    assert "`7 2 1 0 4 1 4 9 5 9`.\n" in text
    agrees, differs = table_with(text, "first ten predictions")
    assert agrees["first ten predictions"] == "`7 2 1 0 4 1 4 9 5 9`"
    assert agrees["wrong of these"] == agrees["other than published"] == "none"
    assert differs["first ten predictions"] == "`7 2 1 0 4 1 4 9 6 9`"
    assert differs["wrong of these"] == "image 8 (class 5)"
    assert differs["other than published"] == "image 8 (published 5)"


def test_a_workload_without_published_predictions_compares_none():
    text = text_of(report_of({PYTORCH: answers([8])}, workload="mlp-256-256-128-64"))
    assert "published" not in text
    assert list(table_with(text, "first ten predictions")[0]) == [
        "configuration", "first ten predictions", "wrong of these",
    ]  # fmt: skip


def test_the_section_stands_below_the_training():
    trials = plan(workloads=["mlp-1000"], rounds=0)
    text = compose(Report(build_run(trials), build_records(trials)))
    assert text.index("### Training") < text.index("### Predictions") < text.index("Published (")
    assert "first ten predictions" in text
