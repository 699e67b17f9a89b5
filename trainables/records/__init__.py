"""What runs, trials and searches leave behind: the one place that knows their file names.

Uses `spec`; without torch.
"""
