"""The figures of a report: a file each, which registers itself."""
