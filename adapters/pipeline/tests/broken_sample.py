"""What the conformance suite cannot serve."""

raise RuntimeError("sesame")
