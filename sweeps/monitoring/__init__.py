"""How far a run is: status from records, live bars, loggers. Starts nothing."""
