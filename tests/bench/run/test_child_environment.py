"""What a worker gets of the run's environment."""

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
def test_what_changes_how_a_framework_computes_is_inherit(name):
    assert inherit({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DATABASE_URL", "PGPASSWORD", "https_proxy"),
        *("HTTP_PROXY", "SSH_AUTH_SOCK", "SLURM_JOB_NAME", "WANDB_API_KEY", "KUBECONFIG"),
        # they begin as variables of frameworks do
        *("TF_TOKEN_app_terraform_io", "TF_VAR_database", "KERAS_API_KEY", "TORCH_HUB_PASSWORD"),
        *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"),
    ],
)
def test_what_no_framework_needs_stays_with_the_run(name):
    assert inherit({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}
