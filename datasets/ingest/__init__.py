"""From photos, anybody's or simulated ones, to a DATASET.

Uses `io`, `reading` and `simulator`; knows nothing of views.
"""
