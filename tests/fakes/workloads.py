"""Workloads that are small enough for the oracle to train them at once."""

from bench.spec import ADAM, RMSPROP, Dense, Dropout, Workload

TINY = Workload(
    name="tiny",
    input_shape=(784,),
    layers=(Dense(units=8), Dense(units=10, activation="linear")),
    optimizer=RMSPROP,
    batch_size=128,
    epochs=1,
    parameter_counts=(6_280, 90),
)
TINY_DROPOUT = Workload(
    name="tiny-dropout",
    input_shape=(784,),
    layers=(Dropout(rate=0.25), Dense(units=10, activation="linear")),
    optimizer=ADAM,
    batch_size=32,
    epochs=1,
    parameter_counts=(7_850,),
)
