"""JAX without Keras: pure functions, jitted and differentiated; the floor under the frameworks."""
