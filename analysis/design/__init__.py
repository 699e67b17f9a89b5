"""What the photos can answer before any training. Uses `statistics` alone."""
