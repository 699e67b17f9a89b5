"""One trial: configuration in, record out."""
