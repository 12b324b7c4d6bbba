"""Keras 3: one adapter for its engines; `KERAS_BACKEND` decides before the first import."""
