"""One service of all that apis can be: one server for most of the comparison."""

import bentoml
from wire_arrays import Arrays
from wire_batches import Batches, Tasks
from wire_contexts import Contexts, Failures
from wire_files import Files
from wire_outputs import Outputs
from wire_streams import Streams
from wire_values import Named, Roots


@bentoml.service(traffic={"timeout": 30})
class Everything(Named, Roots, Outputs, Arrays, Files, Contexts, Failures, Streams, Batches, Tasks):
    """All apis."""
