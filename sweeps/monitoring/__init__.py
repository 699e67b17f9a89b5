"""How far a run is: status from records, live bars, loggers, and the streams they print to. Starts nothing."""
