"""The paper's claims, and its printed numbers, checked by one set of rules. Uses `effects`."""
