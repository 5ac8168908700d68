import pytest

from sflowgan_tf.benchmarking import report
from sflowgan_tf.benchmarking.figures import Row
from tests.benchmarking.test_figures import TASK, measured

CEILINGS = {"operations_per_second": 4e9, "bytes_per_second": 1e9}


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_each_row_of_the_table_has_a_cell_under_each_title():
    ours = measured([2.0, 2.0], [3.0, 3.0], operations=2e9, ceilings=CEILINGS, peak_bytes=3e9)
    rows = [Row(task=TASK, ours=ours, rivals=[measured([1.0, 1.0], [1.0, 1.0])])]
    titles, _, line = (cells(line) for line in report.table(rows))
    row = dict(zip(titles, line, strict=False))
    assert len(titles) == len(line)
    assert (row["size"], row["batch"], row["s, median"]) == ("64x32", "4", "2")
    assert (row["frames/s"], row["peak, GB"], row["GFLOP"]) == ("2", "3.00", "2")
    assert line[-1] == "2.00, 2.00 2.00; 3.00"
    assert "25.0%" in line


def test_a_row_that_failed_is_in_the_table():
    assert "no memory" in list(report.table([Row(task=TASK, failure="no memory")]))[-1]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("global_generator_1/trunk/conv2d_2/Conv2D", "global_generator"),
        ("gradient_tape/dned_1/conv2d/Conv2D", "dned, backward"),
        ("vgg19_features_2/conv2d/Conv2D", "vgg19_features"),
        ("AddN_15", "rest"),
        ("gradient_tape/AddN", "rest, backward"),
    ],
)
def test_operations_belong_to_networks(place, name):
    assert report.part(place) == name


def test_a_profile_is_summed_by_kind_and_by_part():
    profile = [
        {"type": "Conv2D", "name": "dned/a", "seconds": 0.3, "share": 0.3},
        {"type": "Conv2D", "name": "dned/b", "seconds": 0.2, "share": 0.2},
        {"type": "Mul", "name": "vgg/c", "seconds": 0.5, "share": 0.5},
    ]
    lines = list(report.profile_tables(profile))
    assert "| Conv2D | 500.0 | 50.0% |" in lines
    assert "| dned | 500.0 | 50.0% |" in lines
    assert "| Mul | vgg/c | 500.0 | 50.0% |" in lines
