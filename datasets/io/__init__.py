"""Bytes in and out: storage, decoding, spreading work over cores and machines. Uses `schema` alone."""
