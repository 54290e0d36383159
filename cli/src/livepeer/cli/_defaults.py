"""What holds unless the command line says otherwise."""

DEFAULT_GATEWAY_URL = "http://127.0.0.1:9935"
"""Where `livepeer dev` has its gateway."""
