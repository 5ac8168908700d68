import keras
import pytest


@pytest.fixture
def without_values():
    """Variables that are made in the test have a shape but take no memory."""
    with keras.StatelessScope(initialize_variables=False):
        yield
