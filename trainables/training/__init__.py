"""The training loop and what it is fed: images, augmentation, balancing, evaluation.

Uses `models`, `records` and `spec`.
"""
