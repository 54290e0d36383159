"""Copies a channel to another, on one thread and without an event loop: `python relay.py FROM_URL TO_URL`."""

import sys

from livepeer.trickle import Outcome, Publisher, SegmentError, Subscriber


def tell(outcome: Outcome) -> None:
    """Say how a segment ended: Acknowledged, Lost or Refused."""
    print(outcome)


def main(source: str, target: str) -> None:
    """Copy each segment while it is still written."""
    with Subscriber(source, wait_seconds=60) as subscriber, Publisher(target, on_outcome=tell) as publisher:
        for incoming in subscriber:
            try:
                with publisher.segment() as outgoing:
                    for part in incoming:
                        outgoing.write(part)
            except SegmentError as error:  # This one is lost; the next may go well.
                print(error)


main(*sys.argv[1:])
