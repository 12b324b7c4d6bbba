"""Which of the run's environment variables its workers get: those that a framework may need.

All other variables stay with the run, so that no worker can print them: keys of clouds and
services, proxies, the names of other jobs.
"""

from collections.abc import Mapping

NAMES = frozenset(
    {
        # where programs, libraries, caches and the user's files are
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "XDG_CACHE_HOME", "CONDA_PREFIX"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "NIX_LD", "NIX_LD_LIBRARY_PATH"),
        *("LANG", "LANGUAGE", "TZ"),
        # what torch.compile builds its C++ and CUDA with
        *("CC", "CXX", "CUDACXX", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH"),
        *("SDKROOT", "MACOSX_DEPLOYMENT_TARGET"),
    }
)
PREFIXES = (
    *("LC_", "DYLD_", "MALLOC_", "PYTHON", "SAMESTEP_"),
    *("CUDA_", "CUDNN_", "CUBLAS_", "NCCL_", "NVIDIA_"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "DNNL_", "ONEDNN_"),
    *("ATEN_", "INDUCTOR_", "PYTORCH_", "TORCH", "TRITON_", "JAX", "XLA_", "KERAS_", "TF_"),
)
# these would lead to the parent's Python; Terraform's names begin as TensorFlow's do
HIDDEN = ("PYTHONPATH", "PYTHONHOME", "TF_VAR_")
SECRETS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY", "ACCESS_KEY")


def inherit(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a worker gets; none whose name suggests a secret."""
    return {name: value for name, value in variables.items() if is_inherited(name)}


def is_inherited(name: str) -> bool:
    """Return whether a worker gets the variable of this name."""
    wanted = name in NAMES or name.startswith(PREFIXES)
    secret = any(word in name.upper() for word in SECRETS)
    return wanted and not secret and not name.startswith(HIDDEN)
