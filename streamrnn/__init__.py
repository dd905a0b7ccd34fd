"""Online recurrent neural networks for unbounded streams, as river estimators."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamrnn.models.anomaly_detector import RNNAnomalyDetector
    from streamrnn.models.classifier import RNNClassifier
    from streamrnn.models.forecaster import RNNForecaster
    from streamrnn.models.multi_target_regressor import RNNMultiTargetRegressor
    from streamrnn.models.persistence import dumps, load, load_into, loads, save
    from streamrnn.models.regressor import RNNRegressor
    from streamrnn.models.supervised_anomaly_detector import RNNSupervisedAnomalyDetector
    from streamrnn.models.transformer import RNNTransformer

__all__ = [
    "RNNAnomalyDetector",
    "RNNClassifier",
    "RNNForecaster",
    "RNNMultiTargetRegressor",
    "RNNRegressor",
    "RNNSupervisedAnomalyDetector",
    "RNNTransformer",
    "dumps",
    "load",
    "load_into",
    "loads",
    "save",
]
__version__ = "0.1.0"

# Loaded on first use: importing streamrnn costs milliseconds and no numba.
_WHERE = {
    "RNNAnomalyDetector": "streamrnn.models.anomaly_detector",
    "RNNClassifier": "streamrnn.models.classifier",
    "RNNForecaster": "streamrnn.models.forecaster",
    "RNNMultiTargetRegressor": "streamrnn.models.multi_target_regressor",
    "RNNRegressor": "streamrnn.models.regressor",
    "RNNSupervisedAnomalyDetector": "streamrnn.models.supervised_anomaly_detector",
    "RNNTransformer": "streamrnn.models.transformer",
    "dumps": "streamrnn.models.persistence",
    "load": "streamrnn.models.persistence",
    "load_into": "streamrnn.models.persistence",
    "loads": "streamrnn.models.persistence",
    "save": "streamrnn.models.persistence",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'streamrnn' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
