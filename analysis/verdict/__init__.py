"""From findings to a verdict, its reasons and next steps. Uses `design` and `effects`."""
