import itertools

import pytest

from sflowgan_tf.utils.ahead import ahead


def test_items_come_in_order():
    assert [*ahead(iter(range(5)))] == [0, 1, 2, 3, 4]
    assert [*ahead(iter([]))] == []


def test_no_more_than_one_is_made_that_nobody_asked_for():
    made = []
    items = ahead(made.append(n) or n for n in itertools.count())
    assert [next(items), next(items)] == [0, 1]
    items.close()
    assert made == [0, 1, 2]


def test_an_error_comes_in_its_items_place():
    def items():
        yield 1
        raise ValueError("the second one")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="the second one"):
        next(coming)
