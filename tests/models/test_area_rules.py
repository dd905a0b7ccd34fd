"""What the memory of a stream can hold: one compiled pass says what separate looks at each part say, whatever is written into it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamrnn import RNNAnomalyDetector, RNNClassifier, RNNRegressor, dumps, loads
from streamrnn.errors import StateError
from streamrnn.kernels.anomaly import alarm, novelty, outlook
from streamrnn.kernels.net import area_rules as kernel
from streamrnn.kernels.net import words as at
from streamrnn.models._area_rules import area_rules

MODELS: dict[str, Any] = {
    "detector": lambda: RNNAnomalyDetector(key="k", hidden_size=8, memory=32, warm_up=5),
    "detector of a full net": lambda: RNNAnomalyDetector(key="k", hidden_size=8, memory=32, expectation="full"),
    "regressor": lambda: RNNRegressor(key="k", hidden_size=8, window=4, learning="tbptt"),
    "classifier": lambda: RNNClassifier(key="k", hidden_size=8, window=4, learning="tbptt"),
}
NUMBERS = (-1.0, 3.0, 2.0**40, 2.0**53, np.nan, np.inf, -np.inf, 0.5, -0.0, 1e-30, 1e30)
ODD: dict[Any, tuple[float, ...]] = {
    np.int64: (-1, 3, 2**40, 2**53, 2**61, -(2**61), 2**63 - 1, 7),
    np.float64: (*NUMBERS, 1e300, -1e300),
    np.float32: NUMBERS,
}


def trained(name: str) -> Any:
    """A model that three keys have had events of."""
    model = MODELS[name]()
    for i in range(60):
        x = {"k": "abc"[i % 3], "x": i % 7 / 3.0, "y": float(i % 5)}
        model.learn_one(x) if isinstance(model, RNNAnomalyDetector) else model.learn_one(x, i % 3)
    return model


def sound(model: Any, area: NDArray[np.uint8]) -> bool:
    """Look at each part of an area alone."""
    net, z = model._net, model._net.sizes

    def part(name: str) -> NDArray[Any]:
        field = net.layout.fields[name]
        start = field.at - net.layout.area_at
        return area[start : start + field.size].view(field.dtype).reshape(field.shape)

    head = part("area")
    steps, fresh, behind, ahead, known = head[[at.A_FILL, at.A_FRESH, at.A_EVENTS, at.A_AHEAD, at.A_KNOWN]].tolist()
    loss = head.view(np.float64)[at.A_LOSS]
    most, spare = z.stride - (not model._updates_late), model._spare
    good = [
        0.0 <= loss < np.inf,
        0 <= fresh <= min(steps, most),
        steps <= z.window - spare,
        steps - fresh <= z.window - z.stride,
    ]
    good += [0 <= known <= behind <= ahead <= 2**60]
    if z.classes and known > 0:
        good.append(bool(np.isin(part("last_targets"), np.arange(z.outputs)).all()))
    if z.memory:
        watch, kept, rule, season = part("watch"), part("kept"), part("alarm"), part("outlook")
        good += [bool(np.isfinite(one).all()) for one in (watch, kept, rule, season)]
        counts = [watch[:, novelty.SEEN], rule[[alarm.ALARM_EVENTS]], season[:, outlook.AGE]]
        good += [bool(((one >= 0) & (one <= 2**52)).all()) for one in counts]
        good.append(bool(((season[:, outlook.SEASON] >= 0) & (season[:, outlook.SEASON] <= at.SEASON_LAGS)).all()))
    return all(good)


@pytest.mark.parametrize("name", MODELS)
def test_the_pass_says_what_each_part_says(name: str) -> None:
    """For each word of an area in turn, with odd numbers in it: refused where one of the parts cannot be, and taken where all can."""
    model = trained(name)
    net = model._net
    rules, whole = model._rules_of(net), np.array(net._area(2))
    assert sound(model, whole)
    seen = {True: 0, False: 0}
    for kind in (np.int64, np.float64, np.float32):
        for place in range(len(whole) // np.dtype(kind).itemsize):
            changed = whole.copy()
            odd = ODD[kind]
            changed.view(kind)[place] = odd[place % len(odd)]
            expected = sound(model, changed)
            seen[expected] += 1
            if expected:
                rules.check(changed)
            else:
                with pytest.raises(StateError, match=r"can have|counts"):
                    rules.check(changed)
    assert min(seen.values()) > 5


@pytest.mark.parametrize("name", MODELS)
def test_one_area_of_many(name: str) -> None:
    """Among many the wrong one is found wherever it is; a whole model that holds it is refused as the key alone is."""
    model = trained(name)
    net = model._net
    rules, size = model._rules_of(net), net.layout.area_nbytes
    areas = np.array(net.slab[net.layout.area_at : net.layout.area_at + 4 * size])
    rules.check(areas)

    for place in range(4):
        wrong = areas.copy()
        wrong[place * size :].view(np.int64)[at.A_FILL] = 99
        with pytest.raises(StateError, match="counts 99 steps"):
            rules.check(wrong)
    net._area(1).view(np.int64)[at.A_FILL] = 99
    with pytest.raises(StateError, match="counts 99 steps"):
        loads(dumps(model))


def test_a_rule_broken_twice_is_told_once() -> None:
    """The first area, and of its rules the first, is the one that is told of."""
    layout = trained("regressor")._net.layout
    rules = area_rules(layout, 0, 1)
    words = np.zeros(2 * layout.area_nbytes // 8, np.int64)
    words[layout.area_nbytes // 8 + at.A_FILL] = -1
    words[layout.area_nbytes // 8 + at.A_KNOWN] = -1
    found = kernel.broken_rule()(rules._rules, rules._bounds, words.view(np.uint8), 2, layout.area_nbytes)

    assert divmod(found, len(rules._rules)) == (1, 1)
