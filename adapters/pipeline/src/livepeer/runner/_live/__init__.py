"""Live pipelines: what they are, and the sessions in which their streams run."""
