import gc

import keras
import pytest


@pytest.fixture
def freed():
    """Networks of full size, which sit in cycles, go before the next test makes its own."""
    yield
    gc.collect()


@pytest.fixture
def without_values():
    """Variables that are made in the test have a shape but take no memory."""
    with keras.StatelessScope(initialize_variables=False):
        yield
