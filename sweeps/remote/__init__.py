"""Other machines: handing a command to a cluster, and checking what machines are fit for."""
