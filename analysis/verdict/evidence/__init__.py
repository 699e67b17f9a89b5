"""The tests behind a verdict, a file each: what they compute, their numbers and sentences. Uses `effects`."""
