"""Which photos train: settings as rules over label × camera cells. Uses `schema`."""
