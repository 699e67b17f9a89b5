"""Running trials, here or on Ray. Uses `planning`, `runs` and `monitoring`."""
