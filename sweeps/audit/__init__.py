"""The audit of photos. Uses `execution` and analysis."""
