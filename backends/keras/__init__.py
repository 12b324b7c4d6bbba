"""Keras 3: one adapter for all its engines; `KERAS_BACKEND` selects one before the import."""
