import keras
import pytest
from tensorflow.python.framework.config import disable_op_determinism


@pytest.fixture(autouse=True)
def free_order_of_sums():
    """What another test of this process switched on for good; XLA lacks ops that obey it."""
    disable_op_determinism()


@pytest.fixture
def without_values():
    """Variables that are made in the test have a shape but take no memory."""
    with keras.StatelessScope(initialize_variables=False):
        yield
