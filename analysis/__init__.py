"""Records in; tables, figures, claims, verdict and report out. Needs neither torch nor Ray."""
