import pytest
import tensorflow as tf

from sflowgan_tf.benchmarking.profiling import profile


def test_the_most_expensive_operation_comes_first():
    matrix = tf.random.stateless_normal([600, 600], (0, 0))
    function = tf.function(lambda x: tf.reduce_sum(tf.linalg.matmul(x, x)))
    function(matrix)
    rows = profile(lambda: function(matrix).numpy())
    assert "MatMul" in {row["type"] for row in rows}
    assert sum(row["share"] for row in rows) == pytest.approx(1)
    assert rows == sorted(rows, key=lambda row: -row["seconds"])
    assert all(row["seconds"] >= 0 for row in rows)
