import gc

from sflowgan_tf.benchmarking import memory


def test_the_peak_is_of_what_was_held_even_if_it_is_no_more():
    held = b"x" * (1 << 27)
    during = memory.peak()
    del held
    gc.collect()
    assert 1 << 27 <= during < 1 << 40
    assert memory.peak() > during - (1 << 25)  # the system counts it roughly
