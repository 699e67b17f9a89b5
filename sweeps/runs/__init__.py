"""A run as a folder: its lease, its example photos, its archive. Uses records alone."""
