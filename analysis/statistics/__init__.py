"""Estimates, intervals and tests. Knows arrays and frames, no records."""
