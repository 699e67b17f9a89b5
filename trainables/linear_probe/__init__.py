"""Linear probes: a head on an embedding, chosen and fitted inside the training folds, and what is asked of it.

Uses `embeddings`, and of `training` which images train.
"""
