"""An estimator for each check of the conformance suite: it breaks that promise, in a way that has been seen, and no other."""

from __future__ import annotations

import sys

import numpy as np

from streamrnn import RNNAnomalyDetector, RNNRegressor, RNNTransformer
from streamrnn.models._features import is_unknown
from streamrnn.testing import estimators


class Restless(RNNRegressor):
    """Leaves a trace of being asked, until it learns."""

    def predict_one(self, x):
        self._n_dropped = 1
        return super().predict_one(x)

    def learn_one(self, x, y):
        self._n_dropped = 0
        super().learn_one(x, y)


class Attentive(RNNRegressor):
    """Learns something else where it was not asked first."""

    asked = False

    def predict_one(self, x):
        self.asked = True
        return super().predict_one(x)

    def learn_one(self, x, y):
        super().learn_one(x, y if y is None or self.asked else y + 1.0)
        self.asked = False


class Counting(RNNRegressor):
    """Changes something that it has learned when it is stored early."""

    def __setstate__(self, state):
        super().__setstate__(state)
        if self.n_events < 60:
            self._net.array("y_mean")[:] += 1.0


class Forgetful(RNNRegressor):
    """Loses a parameter when cloned."""

    def _get_params(self):
        return {**super()._get_params(), "stride": None}


class Fragile(RNNRegressor):
    """Takes whatever comes into its weights."""

    def learn_one(self, x, y):
        super().learn_one(x, y)
        if y is not None and abs(y) >= 1e20:
            self._net.array("head")[:] *= float("nan")


class Shuffling(RNNRegressor):
    """Puts a new name's weights before those of the others."""

    def _grow(self, features=(), targets=()):
        super()._grow(features, targets)
        if features and self.n_events:
            rows = self._net.array("layer0.weights")
            rows[:] = np.roll(rows, 1, axis=0)


class Revising(RNNTransformer):
    """Takes back the answers that it has given, when the stream changes."""

    def transform_one(self, x):
        answer = super().transform_one(x)
        self.__dict__.setdefault("given", []).append(answer)
        return answer

    def learn_one(self, x, y=None):
        super().learn_one(x, y)
        if (x.get("a") or 0.0) < -8.0:
            for answer in self.__dict__.get("given", ()):
                answer.update(dict.fromkeys(answer, 0.0))


class Arriving(RNNRegressor):
    """Gives features their places as they stand in the event."""

    def learn_one(self, x, y):
        if fresh := [name for name in x if name not in self._columns.index and name != self.key]:
            self._grow(fresh)
        super().learn_one(x, y)


class Zeroing(RNNRegressor):
    """Takes a label that is not known for zero, once it has known one."""

    def learn_one(self, x, y):
        super().learn_one(x, 0.0 if y is None and self.learning_counters[1] else y)


class Impetuous(RNNRegressor):
    """Has no place for the second event without a label, as long as no label has come."""

    def learn_one(self, x, y):
        if is_unknown(y) and self.n_events > 0 and not self.learning_counters[1]:
            raise IndexError("array assignment index out of range")
        super().learn_one(x, y)


class Stubborn(RNNRegressor):
    """Notes another learning rate, and goes on at the old one."""

    def _quicken(self):
        pass


class Impatient(RNNAnomalyDetector):
    """Learns nothing from an event that it was asked about too often."""

    asked = 0

    def score_one(self, x):
        self.asked += 1
        return super().score_one(x)

    def learn_one(self, x, feedback=None):
        super().learn_one(x if self.asked < 3 else dict.fromkeys(x), feedback)
        self.asked = 0


class Waiting(RNNRegressor):
    """Moves its state when the label comes, whatever it was told."""

    def _start(self, given):
        super()._start(given)
        self._late_labels, self._special = False, self.key is not None


class Sharing(RNNRegressor):
    """Has one state for all keys."""

    def _touch(self, keys):
        return super()._touch(["all"] * len(list(keys)))

    def _find(self, x):
        return self._keys.find("all")


class Hoarding(RNNRegressor):
    """Keeps every event."""

    def learn_one(self, x, y):
        super().learn_one(x, y)
        self.__dict__.setdefault("seen", []).append(x)

    def memory_usage(self):
        return super().memory_usage() + sys.getsizeof(self.__dict__.get("seen", []))


VIOLATORS = {
    estimators.check_predicting_is_pure: Restless,
    estimators.check_predicting_is_not_needed: Attentive,
    estimators.check_resume_is_exact: Counting,
    estimators.check_clone_keeps_every_parameter: Forgetful,
    estimators.check_odd_values_survive: Fragile,
    estimators.check_columns_are_stable: Shuffling,
    estimators.check_prefix_causality: Revising,
    estimators.check_order_of_names_is_no_order: Arriving,
    estimators.check_unknown_labels_move_the_state: Zeroing,
    estimators.check_unlabelled_events_alone: Impetuous,
    estimators.check_learning_rate_may_change: Stubborn,
    estimators.check_filters_may_score_twice: Impatient,
    estimators.check_late_labels: Waiting,
    estimators.check_keys_in_a_pipeline: Sharing,
    estimators.check_memory_is_counted: Hoarding,
}
