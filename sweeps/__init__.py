"""Which trials, where they run, how they resume; the command line."""
