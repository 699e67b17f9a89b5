"""From studies and a dataset to trials, and how long they will take. Runs nothing."""
