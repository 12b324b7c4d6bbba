"""Simulations of the verdicts: how often they are wrong, and how often they find an effect."""
