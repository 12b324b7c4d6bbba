"""JAX without Keras: pure functions, jitted and differentiated; a lower bound for frameworks."""
