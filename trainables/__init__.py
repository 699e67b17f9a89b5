"""One trial: configuration in, record out. Only `worker.tune_adapter` knows Ray."""
