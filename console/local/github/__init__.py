"""A GitHub of our own for tests and the demo: GraphQL, REST, limits and faults over datasets of known content."""

from .client import StandInClient
from .dataset import Dataset, load_dataset
from .generate import generate
from .limits import Limits
from .node_ids import node_id
from .server import StandIn

__all__ = ["Dataset", "Limits", "StandIn", "StandInClient", "generate", "load_dataset", "node_id"]
