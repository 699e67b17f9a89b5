"""Tables of what a classifier has predicted: columns found, words cleaned, values checked. Uses `reading`."""
