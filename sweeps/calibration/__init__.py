"""How often verdicts are right, on simulated photos whose truth is known. Uses `audit` and analysis."""
