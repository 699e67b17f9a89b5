"""A trial on a worker: from job to record, with checkpoints and failures kept. Uses all other rooms."""
