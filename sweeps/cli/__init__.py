"""The command line, one file per group of commands. Commands read arguments, call one function, print."""
