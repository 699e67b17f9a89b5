"""What calibrations have come to: lines of datasets whose truth is known, and tables. Uses the report's tables."""
