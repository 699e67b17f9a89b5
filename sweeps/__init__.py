"""Which trials, where they run, how they resume; searches, audits and the command line."""
