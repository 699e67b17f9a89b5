"""A run's records read for analysis. Uses `statistics` for how numbers are shown."""
