"""Where images come from and how they are stored; knows nothing of models."""
