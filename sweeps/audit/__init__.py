"""The audit of photos, and its calibration on simulated ones. Uses `execution` and analysis."""
