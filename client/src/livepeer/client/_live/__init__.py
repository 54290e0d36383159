"""Live streams: media, messages and data to and from a worker while it runs."""
