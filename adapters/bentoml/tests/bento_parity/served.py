"""All services, in the order in which they are served."""

from . import (
    arrays,
    batches,
    bodies,
    common,
    composed,
    contexts,
    files,
    guarded,
    limited,
    mounted,
    named,
    outputs,
    roots,
    streams,
)
from .records import Service

_OF_EVERYTHING = (named, roots, bodies, outputs, arrays, files, contexts, streams, batches)

SERVICES = (
    Service(target="everything.py:Everything", cases=[case for topic in _OF_EVERYTHING for case in topic.CASES]),
    Service(target="composed.py:Composed", cases=composed.CASES),
    Service(target="mounted.py:Mounted", cases=mounted.CASES, ready=f"{mounted.P}/readyz"),
    Service(target="guarded.py:Guarded", cases=guarded.CASES),
    Service(target="limited.py:Limited", cases=limited.LIMITED),
    Service(target="limited.py:Narrow", cases=limited.NARROW),
    Service(target="limited.py:Unwell", cases=limited.UNWELL),
    Service(target="common.py:Predicting", cases=common.PREDICTING),
    Service(target="common.py:Rooted", cases=common.ROOTED),
    Service(target="commanded.py:Commanded", cases=common.COMMANDED),
)
