"""What `bentoml serve` answers and what we answer, request by request.

Each service of `services/` is served by both, and both are asked the same (`served`). The answers are the same, byte
for byte, but for what varies from run to run and a few headers (`asking.NOT_COMPARED`), or ours differs for a reason
that is in the one table of `differences`: it says what becomes of BentoML's answer, so that a change of either is seen.
"""
