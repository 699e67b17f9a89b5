"""Features of a frozen backbone: computed once per view, kept as Parquet beside the variants, read as arrays."""
