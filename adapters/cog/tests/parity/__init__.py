"""What Cog answers and what we answer, model by model.

Each model of `../models` is served by both. A case says what Cog answers; ours is the same, or another answer for a
reason that `records.Difference` names, and then both are asserted, so that a change of either is seen.

`schemas.json` holds, as far as Cog's server reads it, what `cog build` writes of each model: the schema generator of
Cog's sources (0.22.0, `pkg/schema`) was run over `models/`. A model without an entry is one that it refuses.
"""
