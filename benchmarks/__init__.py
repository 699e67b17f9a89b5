"""What is fast, and how often statistics are right. `python -m benchmarks` lists the figures, one a file."""
