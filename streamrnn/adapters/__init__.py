"""Models for engines that keep the state of each key themselves: Bytewax, Spark. The rest of the library knows nothing of them."""

from __future__ import annotations

from streamrnn.adapters.exporting import export
from streamrnn.adapters.frozen import FrozenModel
from streamrnn.adapters.learning import LearningModel, bucket_of

__all__ = ["FrozenModel", "LearningModel", "bucket_of", "export"]
