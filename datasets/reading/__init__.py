"""What sources of photos share: tables parsed, columns and files found, words cleaned. Uses `io`."""
