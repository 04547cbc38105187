"""Load facts, decide, apply, commit; and nothing else."""
