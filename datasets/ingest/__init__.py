"""From anybody's photos, or simulated ones, to a DATASET.

Uses `io` and `simulator`; knows nothing of views.
"""
