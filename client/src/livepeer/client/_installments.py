"""Payments that are due while a session lasts."""

import threading
from collections.abc import Callable

import httpx2

from ._accounts import Account
from ._errors import LivepeerError
from ._sync_http import SyncLine


def start_paying(account: Account, open_client: Callable[[], httpx2.Client]) -> Callable[[], None]:
    """Pay whenever a payment is due, until what is returned is called or the session is seen to be over.

    It happens on a thread of its own, for blocking and asynchronous calls alike: a caller who is busy with what came so
    far, or blocks the event loop, must not lose the session by it.

    Args:
        account: Whose payments.
        open_client: Makes a client that nobody else closes, since a payment may be under way when the caller is done.
    """
    ended = threading.Event()

    def pay() -> None:
        with open_client() as client:
            while not ended.wait(account.interval_seconds):
                try:
                    SyncLine(client).carry_out(account.pay_again())
                    account.failure = None
                except LivepeerError as error:
                    account.failure = error
                    if not error.retryable:
                        return

    threading.Thread(target=pay, name="livepeer-payments", daemon=True).start()
    return ended.set
