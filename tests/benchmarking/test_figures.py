import pytest

from sflowgan_tf.benchmarking.figures import Measured, Row, Spread, ratio
from sflowgan_tf.benchmarking.task import Task

TASK = Task(workload="step", config="", classes="5", size="64x32", batch=4)


def measured(seconds, cpu_seconds=(1.0,), **figures):
    figures = {"items": 4, "operations": None, "bytes": None, "peak_bytes": 7} | figures
    spreads = {"seconds": Spread([*seconds]), "cpu_seconds": Spread([*cpu_seconds])}
    return Measured(name="ours", first_s=9.0, figures=figures, **spreads)


def test_half_of_the_values_lie_between_the_quartiles():
    spread = Spread([5.0, 1.0, 3.0, 2.0, 4.0])
    assert (spread.median, spread.quartiles) == (3, (2, 4))
    assert Spread([2.0]).quartiles == (2, 2)


def test_a_ratio_is_of_runs_that_took_turns():
    assert ratio(Spread([2.0, 9.0]), Spread([1.0, 3.0])).values == [2, 3]


def test_rates_follow_from_the_median():
    ceilings = {"operations_per_second": 400.0, "bytes_per_second": 1000.0}
    values = measured([1.0, 2.0, 8.0], operations=200, bytes=500, ceilings=ceilings).to_dict()
    assert values["items_per_second"] == 4 / 2
    assert values["rates"]["operations"] == {"per_second": 100, "share": 0.25}
    assert values["rates"]["bytes"] == {"per_second": 250, "share": 0.25}


def test_what_is_not_counted_has_no_rate():
    values = measured([1.0], ceilings={"operations_per_second": 1.0, "bytes_per_second": 1.0})
    assert values.to_dict()["rates"] == {}


def test_a_row_holds_its_rivals_with_both_ratios():
    ours, rival = measured([2.0, 4.0], [3.0, 3.0]), measured([1.0, 1.0], [2.0, 2.0])
    (against,) = Row(task=TASK, ours=ours, rivals=[rival]).to_dict()["against"]
    assert against["ratio"]["median"] == 3
    assert against["cpu_ratio"]["values"] == [1.5, 1.5]


def test_a_row_that_failed_says_why():
    values = Row(task=TASK, failure="no memory").to_dict()
    assert values == {
        "workload": "step",
        "form": "",
        "size": "64x32",
        "batch": 4,
        "failure": "no memory",
    }


@pytest.mark.parametrize(
    ("task", "title"),
    [
        (TASK, "step 64x32, batch 4"),
        (Task(**TASK.to_dict() | {"form": "forward"}), "step (forward) 64x32, batch 4"),
    ],
)
def test_titles_tell_tasks_apart(task, title):
    assert task.title == title
