"""Searching hyperparameters: what to ask next, and running it on an executor. Uses `execution`."""
