"""Adam for networks of which a part is first trained in the middle of a training."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops


class JoiningAdam(keras.optimizers.Adam):
    """Adam that treats variables which join later as a fresh optimizer would.

    Adam's moments start at 0, so it divides them by 1 - beta^t after t updates. A variable whose
    gradient was 0 or left out during the first n updates still has moments of 0 then, while t has
    grown: its first steps would be up to sqrt((1 - beta_1)^2 / (1 - beta_2)) times the learning
    rate, 15 times with the defaults of `fit`. Here t counts from n for that variable. The learning
    rate's schedule follows all updates, and the saved state is that of Adam.

    Under loss scaling t lags behind n by the updates that were left out; a variable's steps are
    then smaller at first.

    Source: Kingma and Ba, "Adam", ICLR 2015, sec. 3 (the correction of the bias).
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._earlier_updates: dict[int, int] = {}

    def join(self, variables: Iterable[keras.Variable], earlier_updates: int) -> None:
        """Says when variables are first trained; after `build`, before the first update.

        Args:
            variables: of those that the optimizer is built with.
            earlier_updates: n, how many updates the others have had until then.
        """
        indices = map(self._get_variable_index, variables)
        self._earlier_updates |= dict.fromkeys(indices, earlier_updates)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's update, its bias corrected from the first one on."""
        earlier = self._earlier_updates.get(self._get_variable_index(variable), 0)
        if earlier:
            updates = ops.cast(self.iterations + 1, "float32")
            own = ops.maximum(updates - earlier, 1.0)
            learning_rate *= self._bias_correction(own) / self._bias_correction(updates)
        super().update_step(gradient, variable, learning_rate)

    def _bias_correction(self, updates: Any) -> Any:
        """What Adam multiplies the learning rate by after so many updates of a variable."""
        return ops.sqrt(1 - ops.power(self.beta_2, updates)) / (1 - ops.power(self.beta_1, updates))
