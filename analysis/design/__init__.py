"""What the photos can tell before any training. Uses `statistics` alone."""
