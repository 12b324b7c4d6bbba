"""The variables of the run's environment that a worker inherits."""

import pytest

from bench.machine.environment import VARIABLES
from bench.run.child_environment import inherit


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CXX"),
        *("TORCHINDUCTOR_CACHE_DIR", "JAX_ENABLE_X64", "TF_XLA_FLAGS", "PYTHONHASHSEED"),
        *("SAMESTEP_CACHE", "XDG_CACHE_HOME", *sorted(VARIABLES)),
    ],
)
def test_a_variable_that_may_change_a_computation_is_inherited(name):
    assert inherit({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DATABASE_URL", "PGPASSWORD", "https_proxy"),
        *("HTTP_PROXY", "SSH_AUTH_SOCK", "SLURM_JOB_NAME", "WANDB_API_KEY", "KUBECONFIG"),
        # these begin like variables of frameworks
        *("TF_TOKEN_app_terraform_io", "TF_VAR_database", "KERAS_API_KEY", "TORCH_HUB_PASSWORD"),
        *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"),
    ],
)
def test_a_variable_that_no_framework_needs_is_not_inherited(name):
    assert inherit({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}
