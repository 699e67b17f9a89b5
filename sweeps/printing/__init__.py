"""Results of the work as lines and tables of a terminal. Computes nothing."""
