"""Cannot be imported."""

import cog  # noqa: F401

raise RuntimeError("sesame")
