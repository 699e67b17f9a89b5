"""The formats that photos come in, a file each and a line in the registry. Uses `reading`; decodes nothing."""
