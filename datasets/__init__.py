"""Where images come from and how they are stored. Knows nothing of models."""
