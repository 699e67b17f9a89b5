"""Networks and their weights. Uses nothing of ours but errors."""
