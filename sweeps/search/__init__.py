"""Searching hyperparameters: what to ask next, and trying it on an executor. Uses `execution`."""
