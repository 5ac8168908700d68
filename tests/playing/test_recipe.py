import numpy as np
import pytest

from sflowgan_tf.data.media.pictures import png_with_texts, texts_of
from sflowgan_tf.playing.recipe import Look, Recipe
from sflowgan_tf.translation.appearance import Tone
from sflowgan_tf.utils.errors import UserError

WEIGHTS = (0.1, 0.0, 0.25, 0.0, 0.65, 0.0)
PICTURE = np.zeros((2, 3, 3), np.uint8)


def saved(recipe):
    """The recipe of a picture that was saved with it."""
    return Recipe.of(
        "a.png", texts_of("a.png", png_with_texts(PICTURE, recipe.texts()), PICTURE.size)
    )


@pytest.mark.parametrize(
    "look",
    [
        Look(),
        Look(weights=None),
        Look(weights=WEIGHTS, appearance="cluster:3"),
        Look(weights=WEIGHTS, appearance="random", seed=41),
    ],
)
def test_a_saved_picture_brings_its_recipe_back(look):
    again = saved(Recipe(model="city", step="7", look=look, scene="minicity:1:5"))
    assert (again.model, again.step, again.scene) == ("city", "7", "minicity:1:5")
    assert (again.look.appearance, again.look.seed) == (look.appearance, look.seed)
    if look.weights is None:
        assert again.look.weights is None
    else:
        np.testing.assert_allclose(again.look.weights, look.weights, rtol=1e-8)
    assert (again.size, again.painted) == (None, "")


def test_the_colours_of_a_picture_come_back_without_the_picture():
    tone = Tone(mean=np.array([10, 20.5, 30]), spread=np.array([1, 2, 3.25]))
    again = saved(Recipe(model="m", step="1", look=Look(appearance="like", tone=tone)))
    np.testing.assert_allclose(again.look.tone.mean, tone.mean)
    np.testing.assert_allclose(again.look.tone.spread, tone.spread)


def test_a_scene_that_was_painted_on_is_carried_along():
    again = saved(Recipe(model="m", step="1", look=Look(), size=(6, 4), painted="eJw="))
    assert (again.size, again.painted) == ((6, 4), "eJw=")


def test_pictures_of_translate_have_recipes_too():
    texts = {
        "run": "city",
        "step": "24",
        "seed": "5",
        "exported": "",
        "appearance": "cluster:1",
        "edges": "dned",
        "ensemble_weights": "0.1 0 0.25 0 0.65 0",
    }
    recipe = Recipe.of("a.png", texts)
    assert (recipe.model, recipe.look.appearance, recipe.look.seed) == ("city", "cluster:1", 5)
    assert recipe.look.weights == WEIGHTS and recipe.scene == ""


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({}, "a.png: carries no recipe"),
        ({"run": "m", "appearance": "like:street.png"}, "colours of a picture"),
        ({"run": "m", "ensemble_weights": "1 2 3"}, "damaged"),
        ({"run": "m", "ensemble_weights": "0 0 0 0 0 0"}, "damaged"),
        ({"run": "m", "ensemble_weights": "1 1 1 1 1 nan"}, "damaged"),
        ({"run": "m", "ensemble_weights": "2 1 1 1 1 -1"}, "damaged"),
        ({"run": "m", "appearance": "stolen:/etc/passwd"}, "damaged"),
        ({"run": "m", "appearance": "like"}, "damaged"),
        ({"run": "m", "seed": "many"}, "damaged"),
        ({"run": "m", "scene_painted": "eJw=", "scene_size": "big"}, "damaged"),
    ],
)
def test_what_is_no_recipe_is_refused(texts, sentence):
    with pytest.raises(UserError, match=sentence):
        Recipe.of("a.png", texts)


@pytest.mark.parametrize("content", [b"", b"hello", png_with_texts(PICTURE, {})[:40]])
def test_what_is_no_png_is_refused(content):
    with pytest.raises(UserError, match=r"a\.png: no PNG"):
        texts_of("a.png", content, PICTURE.size)


def test_a_larger_picture_is_refused_before_it_is_decoded():
    height, width = PICTURE.shape[:2]
    content = png_with_texts(PICTURE, {})
    with pytest.raises(UserError, match=f"a.png: {width}x{height}; expected at most"):
        texts_of("a.png", content, width * height - 1)
