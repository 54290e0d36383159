"""Guarded downloads: what a caller names by URL comes from the public network, within limits, or not at all.

An input may be a URL that a stranger chose, and the machine that fetches it can often reach more than the stranger
can. So only http and https are spoken, every address that a name resolves to must be public, the address that was
checked is the one that is dialled, and each redirect is checked again. No proxy of the environment is used. Asks
for the extra `livepeer-core[fetch]`, from the first download on.
"""

from ._fetching import Poster, fetch, fetch_async, guarded_poster, read_data_uri
from ._terms import Fetched, FetchError, FetchLimits, FetchRefusedError, fetch_limits_from_environment

__all__ = [
    "FetchError",
    "FetchLimits",
    "FetchRefusedError",
    "Fetched",
    "Poster",
    "fetch",
    "fetch_async",
    "fetch_limits_from_environment",
    "guarded_poster",
    "read_data_uri",
]
