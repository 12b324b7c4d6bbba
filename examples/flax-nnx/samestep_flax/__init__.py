"""Where samestep finds the backend `flax-nnx`; read where no framework is installed."""

from backends import Place

PLACE = Place(
    adapter="samestep_flax.adapter",
    environment="flax",
    # this example computes on a CPU, also where JAX sees a GPU
    variables={"JAX_PLATFORMS": "cpu"},
)
