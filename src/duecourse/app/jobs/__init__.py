"""Long and timed work: queued, retried, watched."""
