import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sflowgan_tf.evaluation.metrics.segmentation import Confusion, SegmentationScores

CLASSES, VOID = 3, 255


def confusion(*frames, num_classes=CLASSES):
    whole_set = Confusion(num_classes)
    for labels, prediction in frames:
        whole_set.update(np.array(labels, np.uint8), np.array(prediction, np.int64))
    return whole_set


def test_a_frame_scored_by_hand():
    # 0: 2 of 3 found, 1 more predicted; 1: 1 of 2 found, 1 more predicted; void predicted as 0, 1
    whole_set = confusion(([[0, 0, 0, 1], [1, VOID, VOID, VOID]], [[0, 0, 1, 1], [0, 0, 0, 1]]))
    assert whole_set.counts.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [2, 1, 0, 0]]
    assert whole_set.scores(void_wrong=False) == SegmentationScores(
        mean_iou=pytest.approx((2 / 4 + 1 / 3) / 2),
        pixel_accuracy=3 / 5,
        class_iou=[2 / 4, 1 / 3, None],
    )
    assert whole_set.scores(void_wrong=True) == SegmentationScores(
        mean_iou=pytest.approx((2 / 6 + 1 / 4) / 2),
        pixel_accuracy=3 / 8,
        class_iou=[2 / 6, 1 / 4, None],
    )


def test_intersection_and_union_are_of_the_whole_set():
    whole_set = confusion(([0, 0, 0, 1], [0, 0, 0, 1]), ([0, 1, 1, 1], [1, 1, 1, 1]))
    assert whole_set.scores(void_wrong=False).class_iou == [3 / 4, 4 / 5, None]


def test_a_class_that_is_predicted_but_not_there_counts_with_0():
    scores = confusion(([0, 0, 0, 0], [0, 0, 0, 2])).scores(void_wrong=False)
    assert scores.class_iou == [3 / 4, None, 0.0]
    assert scores.mean_iou == pytest.approx(3 / 8)


def test_a_class_that_is_predicted_on_void_alone_counts_only_where_void_is_wrong():
    whole_set = confusion(([0, VOID], [0, 1]))
    assert whole_set.scores(void_wrong=False).class_iou == [1.0, None, None]
    assert whole_set.scores(void_wrong=True).class_iou == [1.0, 0.0, None]


@pytest.mark.parametrize("void", [CLASSES, 200, VOID])
def test_every_label_above_the_classes_is_void(void):
    assert confusion(([void], [2])).counts[-1].tolist() == [0, 0, 1, 0]


@pytest.mark.parametrize("none", [CLASSES, VOID])
def test_what_is_predicted_as_no_class_is_wrong_and_in_no_other_class_union(none):
    whole_set = confusion(([0, 0, 1, VOID], [0, none, 1, none]))
    assert whole_set.counts.tolist() == [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert whole_set.scores(void_wrong=False).class_iou == [1 / 2, 1.0, None]
    assert whole_set.scores(void_wrong=False).pixel_accuracy == 2 / 3
    assert whole_set.scores(void_wrong=True).class_iou == [1 / 2, 1.0, None]
    assert whole_set.scores(void_wrong=True).pixel_accuracy == 2 / 4


def test_without_void_both_protocols_agree():
    whole_set = confusion(([0, 1, 2, 2], [0, 1, 1, 2]))
    assert whole_set.scores(void_wrong=False) == whole_set.scores(void_wrong=True)


FRAMES = st.lists(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 2, 7, VOID]), st.integers(0, CLASSES)),
        min_size=1,
        max_size=12,
    ).map(lambda pixels: tuple(zip(*pixels, strict=True))),
    min_size=1,
    max_size=6,
)


@given(frames=FRAMES, data=st.data())
def test_neither_order_nor_division_of_the_frames_matters(frames, data):
    whole = confusion(*frames).counts
    np.testing.assert_array_equal(confusion(*data.draw(st.permutations(frames))).counts, whole)
    cut = data.draw(st.integers(0, len(frames)))
    parts = confusion(*frames[:cut]).counts + confusion(*frames[cut:]).counts
    np.testing.assert_array_equal(parts, whole)


@given(frames=FRAMES)
def test_void_as_wrong_never_scores_higher(frames):
    whole_set = confusion(*frames, ([0], [0]))
    lenient, strict = (whole_set.scores(void_wrong=wrong) for wrong in (False, True))
    assert strict.pixel_accuracy <= lenient.pixel_accuracy
    for low, high in zip(strict.class_iou, lenient.class_iou, strict=True):
        assert high is None or low <= high


def test_the_mean_is_keras_where_every_class_is_there():
    draw = np.random.default_rng(0)
    labels = draw.integers(0, CLASSES, (2, 8, 8))
    prediction = np.where(
        draw.random((2, 8, 8)) < 0.6, labels, draw.integers(0, CLASSES, (2, 8, 8))
    )
    labels[0, 0] = VOID
    metric = keras.metrics.MeanIoU(CLASSES, ignore_class=VOID)
    for truth, guess in zip(labels, prediction, strict=True):
        metric.update_state(truth, guess)
    ours = confusion(*zip(labels, prediction, strict=True)).scores(void_wrong=False)
    assert ours.mean_iou == pytest.approx(float(metric.result()), abs=1e-6)


def test_counts_beyond_32_bits():
    whole_set = confusion(([0], [0]))
    whole_set.counts[0, 1] = 2**33
    assert whole_set.scores(void_wrong=False).pixel_accuracy == pytest.approx(1 / (2**33 + 1))


@pytest.mark.parametrize(
    ("labels", "prediction", "said"),
    [
        ([[0, 1]], [[0], [1]], r"shapes, got \(1, 2\) and \(2, 1\)"),
        ([0], [-1], "got 0 and -1 or more"),
        ([-1], [0], "got -1 and 0 or more"),
    ],
)
def test_what_can_not_be_counted_is_refused(labels, prediction, said):
    with pytest.raises(ValueError, match=said):
        Confusion(CLASSES).update(np.array(labels), np.array(prediction))


def test_void_alone_called_none_of_the_classes_has_no_iou():
    scores = confusion(([VOID, VOID], [CLASSES, CLASSES])).scores(void_wrong=True)
    assert (scores.mean_iou, scores.pixel_accuracy) == (None, 0)
    assert scores.class_iou == [None] * CLASSES


@pytest.mark.parametrize("frame", [([], []), ([VOID], [0])])
def test_nothing_to_score_is_an_error(frame):
    with pytest.raises(ValueError, match="not void, got none"):
        confusion(frame).scores(void_wrong=False)
