from dataclasses import fields, replace

import numpy as np
import pytest

from sflowgan_tf.evaluation.measuring import Clip, Instruments
from sflowgan_tf.evaluation.metrics.features import FeatureNetwork
from sflowgan_tf.evaluation.metrics.frechet import frechet_distance
from sflowgan_tf.evaluation.metrics.kernel import squared_mmd
from sflowgan_tf.evaluation.scoring import Scoring
from sflowgan_tf.ops.classes import ClassTable
from sflowgan_tf.ops.settings import Farneback

TABLE = ClassTable(
    name="two", names=("road", "sky"), colors=((0, 0, 0), (9, 9, 9)), ids={0: 0, 1: 1}
)


def network(dimension):
    return FeatureNetwork(
        name="n", weights="w", resizer="none", dimension=dimension, features=lambda x: x
    )


def clip(draw, sequence="a", frames=5, right=0.75, **changes):
    """Each frame has 40 pixels of each class, of which the share `right` is found, and 4 void."""
    counts = 40 * np.array([[right, 1 - right, 0], [1 - right, right, 0], [0.1, 0, 0]])
    defaults = {
        "frames": np.arange(frames) + 3,
        "paired": draw.random((frames, 4)),
        "confusion": np.repeat(counts[None].round().astype(int), frames, axis=0),
        "features": draw.normal(size=(frames, 3)),
        "windows": draw.normal(size=(2, 2)),
        "temporal": draw.random((frames - 1, 2)),
        "diversity": draw.random(1),
        "look": draw.random((frames, 4)),
        "gradients": draw.random((frames, 2)),
        "colors": colors(draw.integers(128, 133, (frames, 2, 3))),
        "objects": np.column_stack([np.arange(2 * frames) // 2, draw.random((2 * frames, 2))]),
        "lights": np.zeros((frames, 2), int),
    }
    return Clip(sequence=sequence, **(defaults | changes))


def colors(nodes):
    """Histograms of 40 pixels of each class, all at one node of each channel."""
    return 40 * np.eye(165, dtype=np.float32)[nodes]


def scoring(films, **instruments):
    defaults = {
        "num_classes": 2,
        "segment": lambda frames: frames,
        "features": network(3),
        "clip_features": network(2),
        "window": 2,
        "vgg": object(),
        "farneback": Farneback(),
        "appearance": True,
    }
    return Scoring(
        films=films,
        instruments=Instruments(**(defaults | instruments)),
        segmenter="oracle",
        groups=frozenset({"paired"}),
        motion="exact",
        perceptual="VGG",
        class_names=TABLE.names,
        seed=0,
    )


@pytest.fixture
def films():
    draw = np.random.default_rng(0)
    return {
        "generated": [clip(draw, right=0.5), clip(draw, "b", 4, right=0.75)],
        "real": [clip(draw, right=0.75), clip(draw, "b", 4, right=1.0)],
    }


def the_score(scores, name, of="generated", **detail):
    (score,) = [
        one
        for one in scores
        if (one.name, one.of) == (name, of) and detail.items() <= one.detail.items()
    ]
    return score


def test_segmentation_by_hand(films):
    scores = scoring(films).scores()
    # generated: (5 * 20 + 4 * 30) of 9 * 40 pixels of each class are right
    accuracy = the_score(scores, "pixel_accuracy", void="ignored")
    assert accuracy.value == pytest.approx(220 / 360)
    assert accuracy.low < accuracy.value < accuracy.high
    assert (accuracy.n, accuracy.counted, accuracy.detail["segmenter"]) == (9, "frames", "oracle")
    wrong = the_score(scores, "pixel_accuracy", void="counted as wrong")
    assert wrong.value == pytest.approx(440 / (720 + 36))
    oracle = the_score(scores, "pixel_accuracy", "real", void="ignored")
    assert oracle.value == pytest.approx((5 * 30 + 4 * 40) / 360)
    ratio = the_score(scores, "pixel_accuracy_ratio", void="ignored")
    assert ratio.value == pytest.approx(accuracy.value / oracle.value)
    iou = the_score(scores, "mean_iou", void="ignored")
    assert iou.value == pytest.approx(220 / (360 + 140))
    assert not [one for one in scores if one.name == "mean_iou_ratio" and one.of == "real"]


def test_classes_have_their_iou_and_pixels(films):
    road, sky = scoring(films).classes(TABLE)
    assert (road.name, road.pixels, sky.pixels, sky.color) == ("road", 360, 360, [9, 9, 9])
    assert road.iou["generated"] == pytest.approx(0.44)
    assert road.iou["real"] == pytest.approx(310 / (360 + 50))


def test_distances_are_those_of_all_frames_together(films):
    scores = scoring(films).scores()
    sets = [np.concatenate([c.features for c in films[of]]) for of in ("real", "generated")]
    fid = the_score(scores, "fid")
    assert fid.value == pytest.approx(frechet_distance(*sets))
    assert fid.detail["network"] == "n" and fid.n == 9
    kid = the_score(scores, "kid")
    assert kid.value == pytest.approx(squared_mmd(*sets))
    assert kid.detail["spread"] > 0 and kid.detail["subset size"] == 4
    fvd = the_score(scores, "fvd")
    assert (fvd.n, fvd.counted, fvd.detail["frames in a clip"]) == (4, "clips", 2)
    assert {one.of for one in scores if one.group == "distribution"} == {"generated"}


def test_means_of_frames_pairs_and_scenes(films):
    scores = scoring(films).scores()
    generated = films["generated"]
    for column, name in enumerate(("l1", "psnr", "ssim", "perceptual")):
        values = np.concatenate([one.paired[:, column] for one in generated])
        assert the_score(scores, name).value == pytest.approx(values.mean())
    error = the_score(scores, "warping_error", "real")
    assert error.value == pytest.approx(
        np.concatenate([one.temporal[:, 0] for one in films["real"]]).mean()
    )
    assert (error.n, error.counted) == (7, "pairs")
    diversity = the_score(scores, "diversity")
    assert diversity.value == pytest.approx(np.mean([one.diversity for one in generated]))
    assert diversity.n == 2


def looks(films):
    """The scores of the appearance alone."""
    networks = dict.fromkeys(("segment", "features", "clip_features", "vgg"))
    return [one for one in scoring(films, **networks).scores() if one.group == "appearance"]


def test_appearance_is_beside_the_real_frames(films):
    scores = looks(films)
    generated, real = (
        np.concatenate([one.look for one in films[of]]).mean(axis=0) for of in ("generated", "real")
    )
    for column, name in enumerate(("sharpness", "gradient", "colorfulness", "ringing")):
        ratio = the_score([one for one in scores if "class" not in one.detail], name)
        assert ratio.value == pytest.approx(generated[column] / real[column])
        assert ratio.low < ratio.value < ratio.high and ratio.n == 9
        assert ratio.detail["real frames"] == pytest.approx(real[column])
    sums = [np.concatenate([one.gradients for one in films[of]]).sum(0)[1] for of in films]
    of_sky = the_score(scores, "gradient", **{"class": "sky"})
    assert of_sky.value == pytest.approx(sums[0] / sums[1])
    assert of_sky.detail["real frames"] == pytest.approx(sums[1] / (9 * 40))
    itself = the_score(scores, "sharpness", "real")
    assert itself.value == itself.low == itself.high == 1


def test_colors_of_all_frames_of_a_class_are_compared_together(films):
    """Real pixels lie at node 130; the film's in its first clip at 131, in its second at 127."""
    for clips, nodes in ((films["real"], (130, 130)), (films["generated"], (131, 127))):
        for index, node in enumerate(nodes):
            place = np.full((len(clips[index].frames), 2, 3), 130)
            place[:, 0, 1] = node  # a of the road
            clips[index] = replace(clips[index], colors=colors(place))
    scores = looks(films)
    # 5 frames are a node of 4 units off, 4 frames three nodes
    of_road = the_score(scores, "color_distance", **{"class": "road"})
    assert of_road.value == pytest.approx(4 * (5 * 1 + 4 * 3) / 9)
    assert the_score(scores, "color_distance", **{"class": "sky"}).value == 0
    whole = the_score([one for one in scores if not one.detail], "color_distance")
    assert whole.value == pytest.approx(of_road.value / 2), "half of the pixels are road"


def test_colors_of_objects_have_the_median_of_all(films):
    scores = looks(films | {"simulator": films["real"]})
    for column, name in ((1, "object_color_simulator"), (2, "object_color_real")):
        values = np.concatenate([one.objects[:, column] for one in films["generated"]])
        score = the_score(scores, name)
        assert score.value == pytest.approx(np.median(values))
        assert (score.n, score.counted) == (18, "objects") and score.low < score.value < score.high
    without = looks(films)
    assert not [one for one in without if one.name == "object_color_simulator"]


def test_a_class_that_few_frames_have_is_drawn_of_these_alone(films):
    for clips in films.values():
        clips[0].gradients[:, 1] = 0
        clips[0].colors[:, 1] = 0
    for name in ("gradient", "color_distance"):
        of_sky = the_score(looks(films), name, **{"class": "sky"})
        assert of_sky.low is None, "of one clip"
    for clips in films.values():
        clips[1].gradients[:, 1] = 0
        clips[1].colors[:, 1] = 0
    assert not [one for one in looks(films) if one.detail.get("class") == "sky"]


def test_lights_are_counted_where_there_are_any(films):
    def of_lights():
        scores = scoring(films, traffic_light=1).scores()
        return [score for score in scores if score.name == "light_states_kept"]

    assert of_lights() == []
    first, second = films["generated"][:2]
    first.lights[0], first.lights[2], second.lights[1] = (2, 1), (1, 1), (1, 1)
    (score,) = of_lights()
    assert (score.value, score.n, score.of) == (0.75, 4, "generated")
    assert score.low <= 0.75 <= score.high <= 1


def test_equal_films_are_no_distance_apart(films):
    scores = scoring({"generated": films["real"], "real": films["real"]}).scores()
    assert the_score(scores, "fid").value == pytest.approx(0, abs=1e-9)
    assert the_score(scores, "mean_iou_ratio", void="ignored").value == 1


def test_what_was_not_measured_is_left_out(films):
    nothing = np.zeros(0)
    bare = {
        of: [
            Clip(
                sequence=one.sequence,
                frames=one.frames,
                **dict.fromkeys((field.name for field in fields(Clip)[2:]), nothing),
            )
            for one in clips
        ]
        for of, clips in films.items()
    }
    networks = dict.fromkeys(("segment", "features", "clip_features", "vgg"))
    without = scoring(bare, **networks, appearance=False)
    assert without.scores() == [] and without.classes(TABLE) == [] and without.warnings() == []
    assert without.frames()[0] == {"sequence": "a", "frame": 3}


def test_a_single_scene_has_no_interval(films):
    one = scoring({of: clips[:1] for of, clips in films.items()})
    scores = one.scores()
    assert the_score(scores, "diversity").low is None
    for name in ("l1", "sharpness", "object_color_real"):
        assert the_score(scores, name).low is not None  # of its frames
    warnings = one.warnings()
    assert any("single sequence" in text for text in warnings)
    assert "FVD: left out, 2 samples are too few." in warnings
    assert any(text.startswith("FID: 5 samples, fewer than 2048") for text in warnings)


def test_the_frames_table_has_a_row_a_frame(films):
    rows = scoring(films).frames()
    assert [(row["sequence"], row["frame"]) for row in rows][4:7] == [("a", 7), ("b", 3), ("b", 4)]
    assert rows[0]["pixel_accuracy"] == pytest.approx(0.5)
    assert rows[0]["l1"] == pytest.approx(films["generated"][0].paired[0, 0])


def test_a_frame_all_void_has_no_accuracy(films):
    films["generated"][0].confusion[0, :-1] = 0
    assert "pixel_accuracy" not in scoring(films).frames()[0]


def test_a_clip_all_void_counts_only_where_void_does(films):
    for of in films:
        films[of][1].confusion[:, :-1] = 0
    scores = scoring(films).scores()
    assert the_score(scores, "pixel_accuracy", void="ignored").value == pytest.approx(0.5)
    wrong = the_score(scores, "pixel_accuracy", void="counted as wrong")
    assert wrong.value == pytest.approx(5 * 40 / (5 * 84 + 4 * 4))


def test_nothing_but_void_has_no_segmentation_void_ignored(films):
    for of in films:
        for one in films[of]:
            one.confusion[:, :-1] = 0
    scores = scoring(films).scores()
    assert not [one for one in scores if one.detail.get("void") == "ignored"]
    assert scoring(films).classes(TABLE) == []


def test_an_oracle_that_is_right_nowhere_has_no_ratio(films):
    films["real"] = [
        clip(np.random.default_rng(0), name, n, 0.0) for name, n in (("a", 5), ("b", 4))
    ]
    scores = scoring(films).scores()
    assert the_score(scores, "pixel_accuracy", "real", void="ignored").value == 0
    assert not [one for one in scores if one.name.endswith("_ratio")]


def test_a_clip_all_void_that_the_segmenter_calls_nothing_leaves_no_score_without_a_number(films):
    """A draw of that clip alone has no class at all, so no mean over classes."""
    for of in films:
        films[of][1].confusion[:, :-1] = 0
        films[of][1].confusion[:, -1] = (0, 0, 4)
    for score in scoring(films).scores():
        ends = [end for end in (score.value, score.low, score.high) if end is not None]
        assert np.isfinite(ends).all(), score
    wrong = the_score(scoring(films).scores(), "mean_iou", void="counted as wrong")
    # 5 frames of 40 pixels a class, of which half is right, and 4 void ones called the first class
    assert wrong.value == pytest.approx((100 / (300 + 20) + 100 / 300) / 2, abs=0.03)


RANGES = {
    "mean_iou": (0, 1),
    "pixel_accuracy": (0, 1),
    "mean_iou_ratio": (0, np.inf),
    "pixel_accuracy_ratio": (0, np.inf),
    "fid": (0, np.inf),
    "kid": (-np.inf, np.inf),
    "fvd": (0, np.inf),
    "l1": (0, 1),
    "psnr": (0, 59),
    "ssim": (-1, 1),
    "perceptual": (0, np.inf),
    "warping_error": (0, 1),
    "flicker": (0, 1),
    "diversity": (0, np.inf),
    **dict.fromkeys(("sharpness", "gradient", "colorfulness", "ringing"), (0, np.inf)),
    **dict.fromkeys(("color_distance", "object_color_real"), (0, np.inf)),
}


@pytest.mark.parametrize("seed", range(4))
def test_intervals_end_where_possible_values_do(seed):
    """One clip is the opposite of all others, whose values are at an end of what is possible."""
    draw = np.random.default_rng(seed)

    def film(end):
        """Values are 0 or 1 at the `end`, and the other one in the first clip."""
        return [
            clip(
                draw,
                sequence=str(number),
                right=float(number == 0) if end == 0 else float(number > 0),
                features=0.01 * draw.normal(size=(5, 3)) + 9 * (number == 0),
                paired=np.full((5, 4), float((number > 0) == end)),
                temporal=np.full((4, 2), float((number > 0) == end)),
                diversity=np.full(1, float((number > 0) == end)),
            )
            for number in range(12)
        ]

    real = [replace(one, features=0.01 * draw.normal(size=(5, 3))) for one in film(1)]
    for end in (0, 1):
        for score in scoring({"generated": film(end), "real": real}).scores():
            least, most = RANGES[score.name]
            assert least <= score.low <= score.high <= most, score
