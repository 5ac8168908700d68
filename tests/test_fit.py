import dataclasses

import pytest

from sflowgan_tf import config as settings
from sflowgan_tf import fit
from sflowgan_tf.errors import UserError
from sflowgan_tf.runs import Run


def test_a_configuration_may_be_mended_until_something_is_trained(tmp_path):
    run = Run(tmp_path)
    first = settings.Config()
    mended = dataclasses.replace(first, seed=1)
    settings.save(first, run.config)
    fit._check_same(mended, run)
    run.checkpoints.mkdir()
    (run.checkpoints / "step-1.index").touch()
    fit._check_same(first, run)
    with pytest.raises(UserError, match="seed: 0 -> 1"):
        fit._check_same(mended, run)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (["--dataset", "synthia"], "synthia"),
        (["--dataset", "synthia", "--config", "synthia-768x384"], "synthia-768x384"),
        (["--dataset", "synthia", "--config", "my/v1.5.yaml"], "v1.5"),
    ],
)
def test_a_run_is_called_as_its_configuration(given, name):
    assert fit._run_name(fit.flags().parse_intermixed_args(given)) == name
