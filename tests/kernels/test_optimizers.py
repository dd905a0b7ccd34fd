"""Every optimiser, step by step, against river's own or an independent implementation."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from river import optim

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.optimizers import table as optimizers
from streamrnn.kernels.net.optimizers.schedules import PACED, SCHEDULES
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS, WORDS
from streamrnn.kernels.net.stamp import stamp_of
from streamrnn.models._translate import OptimizerChoice, optimizer
from streamrnn.testing import optimizer_checks
from streamrnn.testing.nets import play, small_net, step_of, weights

STEPS, N = 60, 8


@functools.cache
def stepper():
    """One update of a flat run of weights, compiled: prepare, then step."""
    stamp = stamp_of(CELLS["lstm"])

    def run(hd, hyper, c, w, w_0, s, g, pull):
        stamp  # noqa: B018  part of the cache's key
        optimizers.prepare(hd, hyper, c)
        optimizers.step(hd[at.OPTIMIZER], c, w, w_0, s, w.size, g, w.size, pull)
        hd[at.UPDATES] += 1

    return entry(run)


def ours(choice, w_0, G, pull=0.0, lag=0):
    """Weights after each of the steps G (STEPS, N)."""
    rule = OPTIMIZERS[choice.name]
    hd, hyper, c = np.zeros(at.HEADER_WORDS, np.int64), np.zeros(at.N_HYPER), np.zeros(16, np.float32)
    hd[at.OPTIMIZER], hd[at.SCHEDULE], hd[at.UPDATES] = rule.code, SCHEDULES[choice.schedule], lag
    for name, value in choice.settings.items():
        hyper[WORDS[name]] = value
    w, start, s = w_0.astype(np.float32), w_0.astype(np.float32), np.zeros(max(rule.slots, 1) * N, np.float32)
    trail = []
    for g in G.astype(np.float32):
        stepper()(hd, hyper, c, w, start, s, g, np.float32(pull))
        trail.append(w.copy())
    return np.array(trail)


def rivers(spec, w_0, G):
    """The same from river's object, on a dict of floats; where it looks ahead, the weights it looks at."""
    w, trail = dict(enumerate(w_0.tolist())), []
    spec.look_ahead(w)
    for g in G:
        spec.step(w, dict(enumerate(g.tolist())))
        spec.look_ahead(w)
        trail.append([w[i] for i in range(len(w_0))])
    return np.array(trail)


def gradients(seed=0):
    """Gradients of sizes from 1e-3 to 1e3, some of them zero."""
    rng = np.random.default_rng(seed)
    G = rng.normal(size=(STEPS, N)) * 10.0 ** rng.uniform(-1.5, 1.5, (STEPS, 1)) * 10.0 ** np.linspace(-1.5, 1.5, N)
    G[rng.random(G.shape) < 0.1] = 0.0
    return G.astype(np.float32).astype(np.float64)


RIVERS = [
    optim.SGD(0.01),
    optim.Momentum(0.01, rho=0.8),
    optim.NesterovMomentum(0.01, rho=0.8),
    optim.AdaGrad(0.1),
    optim.AdaDelta(rho=0.9, eps=1e-4),
    optim.RMSProp(0.01, rho=0.95),
    optim.Adam(0.01, beta_1=0.8, beta_2=0.99),
    optim.Adam(0.01),
    optim.AMSGrad(0.01),
    optim.AMSGrad(0.01, correct_bias=False),
    optim.Nadam(0.01),
    optim.AdaMax(0.01),
    optim.AdaBound(0.01, gamma=0.05),
    optim.SGD(optim.schedulers.InverseScaling(0.1, power=0.6)),
    optim.Adam(optim.schedulers.InverseScaling(0.1, power=0.6)),
    optim.NesterovMomentum(optim.schedulers.InverseScaling(0.1)),
    optim.RMSProp(optim.schedulers.Optimal(optim.losses.Hinge(), alpha=0.05)),
    optim.SGD(optim.schedulers.Optimal(optim.losses.Squared(), alpha=0.05)),
]


@pytest.mark.parametrize("spec", RIVERS, ids=lambda spec: f"{type(spec).__name__}-{type(spec.lr).__name__}")
def test_steps_are_those_of_river(spec):
    """Sixty steps with gradients of many sizes: the weights on the way are those of river's object."""
    w_0, G = np.random.default_rng(1).normal(size=N).astype(np.float32).astype(np.float64), gradients()

    actual = ours(optimizer(spec), w_0, G)

    expected = rivers(spec, w_0, G)
    moved = np.abs(np.diff(np.vstack([w_0, expected]), axis=0)).sum(0)  # the length of each weight's way
    # float32 sums, and decays that are rounded to float32 (1 - beta_2 by 5e-5 of itself)
    assert (np.abs(actual - expected) <= 1e-4 * moved + 1e-6).all()


def test_all_rows_are_compared():
    """Each row that river has is compared with river's here; FTRL-Proximal and ObGD have tests of their own."""
    compared = {optimizer(spec).name for spec in RIVERS}

    assert compared == set(OPTIMIZERS) - {"ftrl", "obgd"}


def test_ftrl_is_rivers_one_step_earlier():
    """From weights of zero and with l1 = 0: what river applies when the next gradient comes is applied at once."""
    spec, G = optim.FTRLProximal(alpha=0.1, beta=0.5, l2=0.3), gradients()

    actual = ours(optimizer(spec), np.zeros(N), G)

    np.testing.assert_allclose(actual[:-1], rivers(spec, np.zeros(N), G)[1:], rtol=1e-4, atol=1e-5)


def test_ftrl_is_the_papers_around_the_initial_weights():
    """Algorithm 1 of McMahan et al. (2013) on the displacement: exactly the initial weight where |z| <= l1."""
    alpha, beta, l1, l2 = 0.1, 0.5, 40.0, 0.3
    w_0, G = np.random.default_rng(1).normal(size=N), gradients()
    z, n, w, expected = np.zeros(N), np.zeros(N), np.zeros(N), []
    for g in G:
        sigma = (np.sqrt(n + g * g) - np.sqrt(n)) / alpha
        z, n = z + g - sigma * w, n + g * g
        w = np.where(np.abs(z) <= l1, 0.0, -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / alpha + l2))
        expected.append(w_0 + w)

    actual = ours(OptimizerChoice("ftrl", {"lr": alpha, "beta": beta, "l1": l1, "l2": l2}), w_0, G)

    kept = np.array(expected) == w_0
    assert 0 < kept.sum() < kept.size
    np.testing.assert_array_equal(actual[kept], np.broadcast_to(w_0.astype(np.float32), kept.shape)[kept])
    np.testing.assert_allclose(actual, expected, rtol=2e-4, atol=1e-4)


def test_the_final_rate_of_adabound_follows_the_schedule():
    """AdaBound under a schedule is the authors' code: the bounds shrink in proportion to the learning rate."""
    spec = optim.AdaBound(optim.schedulers.InverseScaling(0.05), gamma=0.05, final_lr=0.02)
    w_0, G = np.random.default_rng(1).normal(size=N), gradients()
    m, v, w, expected = np.zeros(N), np.zeros(N), w_0.copy(), []
    for t, g in enumerate(G, start=1):
        lr = 0.05 / np.sqrt(t)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        final = 0.02 * lr / 0.05
        low, high = final * (1 - 1 / (0.05 * t + 1)), final * (1 + 1 / (0.05 * t))
        rate = lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) / (np.sqrt(v) + 1e-8)
        w = w - np.clip(rate, low, high) * m
        expected.append(w)

    np.testing.assert_allclose(ours(optimizer(spec), w_0, G), expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize(
    "check", [pytest.param(check, id=f"{name}-{text}") for name in OPTIMIZERS for text, check in optimizer_checks(name)]
)
def test_optimizer(check):
    """Each check of the suite."""
    check()


def flat(net):
    return np.concatenate([part.ravel() for part in weights(net)])


def gradient_and_net(**options):
    """A net of the given options, its flat weights, and the gradient of six events X, Y at those weights."""
    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    g = step_of(small_net("lstm"), X, Y)
    net = small_net("lstm", **options)
    return net, flat(net), g, X, Y


@pytest.mark.parametrize("share", [0.5, 2.0])
def test_clipping_is_by_the_global_norm(share):
    """With ``clip`` the gradient of the whole net is scaled to that norm if it is longer, and untouched if not."""
    _, _, g, _, _ = gradient_and_net()
    norm = np.linalg.norm(g)
    net, w, _, X, Y = gradient_and_net(clip=share * norm, settings={"lr": 0.1})

    play(net, X, Y)

    np.testing.assert_allclose(flat(net) - w, -0.1 * min(share, 1.0) * g, rtol=1e-4, atol=1e-6)


def test_pull_moves_towards_the_initial_weights_per_known_target():
    """After the step each weight goes the share ``pull`` x known targets of its way back to where it began."""
    net, w, g, X, Y = gradient_and_net(pull=0.01, settings={"lr": 0.1})
    Y[2, 0] = np.nan
    w_0 = w + 1.0
    net.array("layer0.weights_initial")[:] += 1.0
    net.array("head_initial")[:] += 1.0
    g = step_of(small_net("lstm"), X, Y)

    play(net, X, Y)

    stepped = w - 0.1 * g
    np.testing.assert_allclose(flat(net), stepped + 0.11 * (w_0 - stepped), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("target", [0.05, 40.0])
def test_obgd_is_algorithm_3(target):
    """ObGD of Elsayed et al. (2024), lambda = 0: the step that keeps an update from overshooting, at both of its ends."""
    alpha, kappa = 1.0, 2.0
    rng = np.random.default_rng(3)
    options = {"window": 1, "stride": 1, "outputs": 1, "loss_settings": [1e6]}
    X, Y = rng.normal(size=(1, 3)), np.array([[target]])
    plain = small_net("lstm", **options)
    g = step_of(plain, X, Y)  # of the squared error, halved: delta z
    net = small_net("lstm", optimizer="obgd", settings={"lr": alpha, "kappa": kappa}, **options)
    w = flat(net)

    [[value]] = play(net, X, Y)

    delta = value - target
    z = g / delta
    m = alpha * kappa * max(abs(delta), 1.0) * np.abs(z).sum()
    np.testing.assert_allclose(flat(net) - w, -min(alpha / m, alpha) * delta * z, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_counts_updates(schedule):
    """In a net the schedule's time is the number of updates: one a window, none for windows that were not learned."""
    settings = {"Constant": {}, "InverseScaling": {"power": 0.7}, "Optimal": {"t0": 20.0}}[schedule]
    rate = {
        "Constant": lambda t: 0.1,
        "InverseScaling": lambda t: 0.1 / (t + 1) ** 0.7,
        "Optimal": lambda t: 10 / (20 + t),
    }
    net = small_net("dense", schedule=schedule, settings={"lr": 0.1, **settings}, window=1, stride=1)
    twin = small_net("dense", window=1, stride=1)
    rng, updates = np.random.default_rng(3), 0
    for t in range(12):
        x, y = rng.normal(size=(1, 3)), rng.normal(size=(1, 2)) * (np.nan if t % 4 == 2 else 1.0)
        w = flat(net)
        for name in ("layer0.weights", "head"):
            twin.array(name)[:] = net.array(name)
        g = step_of(twin, x, y)

        play(net, x, y)

        np.testing.assert_allclose(flat(net) - w, -rate[schedule](updates) * g, rtol=1e-3, atol=1e-6)
        updates += int(not np.isnan(y).any())
    assert net.header[at.UPDATES] == updates == 9


@pytest.mark.parametrize(("known", "times"), [(1, 1), (4, 1), (5, 1.25), (6, 1.5), (8, 2)])
def test_the_pace_is_that_of_the_events_that_are_learned(known, times):
    """An update at a rule's own rate counts for the events whose target is known, four by four; those without count for nothing."""
    rng = np.random.default_rng(9)
    X, Y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    Y[: 8 - known] = np.nan
    steps = []
    for schedule in (SCHEDULES["Constant"], PACED):
        net = small_net("dense", window=8, stride=8, loss="squared")
        net.header[at.SCHEDULE] = schedule
        steps.append(step_of(net, X, Y))

    assert np.abs(steps[0]).max() > 0.1
    np.testing.assert_allclose(steps[1], times * steps[0], rtol=1e-4, atol=1e-6)
