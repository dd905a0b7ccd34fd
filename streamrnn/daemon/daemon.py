"""A run that nobody watches: signals, health, log lines, the status server, systemd."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import msgspec

import streamrnn
from streamrnn.config import POLICY, Config
from streamrnn.daemon.health import Health
from streamrnn.daemon.log import say, set_up
from streamrnn.daemon.signals import StopSignals
from streamrnn.daemon.stages import COMPILING, Stages
from streamrnn.daemon.systemd import Notifier
from streamrnn.engine.assemble import client_loggers, make_runtime, make_shards, make_source
from streamrnn.engine.dead_letter_limit import DeadLetterLimit
from streamrnn.engine.loop import Runtime
from streamrnn.engine.monitor import Observer, Summary
from streamrnn.engine.warmup import expected_cpu_s, warm_up
from streamrnn.errors import ConfigError, Retriable, StreamrnnError, UnavailableError
from streamrnn.safe_text import safe_name
from streamrnn.scorers.kinds import ModelKind, model_kind

__all__ = ["Daemon"]

STATUS_S = 5.0  # how often systemd is told how it goes

NAME = 256  # places of a partition's name in the log: a Kafka topic's are 249 at most, and a program reads them

NO_ANSWER = UnavailableError, Retriable
"""What a run may end with that was asked to stop while it waited for a server."""

RELOADABLE = (
    *(f"[alarm] {name}" for name in ("rate", "cooldown", *POLICY)), "[state] every", "[state] every_s", "[log] level",
)  # fmt: skip
"""What SIGHUP may change in a running process. Anything else decides what the state means, or where it lies."""


def _flat(config: Config) -> dict[str, Any]:
    """Return every option by its full name."""
    flat: dict[str, Any] = {}
    for table, value in msgspec.structs.asdict(config).items():
        options = value.options if hasattr(value, "options") else value
        if hasattr(value, "kind"):
            flat[f"[{table}] kind"] = value.kind
        named = options if isinstance(options, Mapping) else msgspec.structs.asdict(options)
        flat |= {f"[{table}] {name}": one for name, one in named.items()}
    return flat


class Daemon:
    """Runs a configuration with all that belongs to a process of its own.

    Parameters
    ----------
    config
        A checked configuration.
    reload
        Reads and checks the configuration again; raises what :func:`streamrnn.config.load` raises.
    name
        What log lines call the configuration.
    fresh
        Forget the state and the outputs of earlier runs.
    observers
        Called after each commit, see :class:`~streamrnn.engine.loop.Runtime`.
    signals
        Entered already, where signals are to count from before this was made.
    """

    def __init__(
        self,
        config: Config,
        reload: Callable[[], Config],
        name: str,
        *,
        fresh: bool = False,
        observers: Sequence[Observer] = (),
        signals: StopSignals | None = None,
    ) -> None:
        self.config = config
        self.name = name
        self._reload = reload
        self._fresh = fresh
        self._observers = observers
        self._notifier = Notifier()
        self._signals = signals or StopSignals(reload=True)
        self._last_said = 0.0
        self._looked = False
        self.health = self._make_health()

    def _make_health(self) -> Health:
        rate = self.config.alarm.share
        if not self.config.server.wanted:
            return _Loud(rate, keep_series=False)
        from streamrnn.daemon.metrics import MeteredHealth  # noqa: PLC0415  (prometheus-client, where it is wanted)

        return type("_LoudMetered", (_Loud, MeteredHealth), {})(rate, ends_after=self.config.alarms.ends_after)  # type: ignore[no-any-return]

    def run(self) -> Summary:
        """Run until the source ends or a signal comes; return what was done."""
        config, health = self.config, self.health
        set_up(config.log.format, config.log.level, clients=client_loggers(config))
        with ExitStack() as stack:
            stack.enter_context(self._signals)
            health.stages = stack.enter_context(Stages(self._tell_stage, self._compiler_works))
            kind = model_kind(config.model.kind, config.model.options)
            runtime = health.runtime = make_runtime(config, fresh=self._fresh, kind=kind, monitor=health)
            runtime.stopped = self._tick
            runtime.observers = [health.observe, *self._observers]
            if config.dead_letter.max_share is not None:
                runtime.observers.append(DeadLetterLimit(config.dead_letter.max_share, config.dead_letter.window))
            if config.server.wanted:
                port = self._serve(stack, kind)
                where: dict[str, Any] = {} if port is None else {"host": config.server.host, "port": port}
                if config.server.socket_file is not None:
                    where["socket_file"] = config.server.socket_file
                say("listening", **where)
            say(
                "started", version=streamrnn.__version__, config=self.name, source=config.source.kind,
                model=config.model.kind, sink=config.sink.kind, delivery=runtime.sink.delivery,
            )  # fmt: skip
            try:
                self._warm_up(kind)
                with self._watch_compiler(kind):
                    summary = runtime.run()
            except BaseException as error:
                if self._signals.stopped and isinstance(error, NO_ANSWER) and not runtime.summary.events:
                    self._stopped(
                        runtime.summary
                    )  # asked to stop while it tried to begin: nothing was, nothing is lost
                    return runtime.summary
                said = str(error) or type(error).__name__
                health.phase = "failed"
                say("failed", logging.ERROR, error=said, events=runtime.summary.events)
                self._notifier.stopping(f"failed: {said}")
                raise
            self._stopped(summary)
        return summary

    def _warm_up(self, kind: ModelKind) -> None:
        """Compile before the run counts as started: whoever watches it then waits, and does not take it for stuck.

        Nothing was read then, so that a signal that ends it here leaves nothing to finish.
        """
        stages, forecast = self.health.stages, self.config.forecast

        def tell() -> None:
            if stages is not None and stages.stage != COMPILING:
                self._notifier.status("compiling")
                stages.compiles(expected_cpu_s(kind, forecast))

        self._signals.unless_stopped(lambda: warm_up(kind, forecast, tell), self._leave)
        self._compiled()

    def _watch_compiler(self, kind: ModelKind) -> AbstractContextManager[None]:
        """Notice what is compiled after all while the run goes on: a factory's models are known to nobody beforehand."""
        stages = self.health.stages
        if stages is None or "numba" not in sys.modules:
            return nullcontext()
        from streamrnn.models._numerics import watch_compilation  # noqa: PLC0415

        expected = expected_cpu_s(kind, self.config.forecast)
        return watch_compilation(lambda: stages.compiles(expected), self._compiled)

    def _compiled(self) -> None:
        if self.health.stages is not None and self.health.stages.stage == COMPILING:
            self.health.progress = time.monotonic()
            self.health.stages.compiled()

    def _tell_stage(self, stage: str, **fields: Any) -> None:
        if not (stage == "compiled" and self._signals.stopped):
            say(stage, **fields)

    def _compiler_works(self) -> None:
        """Tell systemd, where the loop cannot: from a thread of its own."""
        self._notifier.alive(time.monotonic())
        self._notifier.status(f"compiling: {self.health.detail()}")

    def _serve(self, stack: ExitStack, kind: ModelKind) -> int | None:
        from streamrnn.daemon.feedback import FeedbackDesk  # noqa: PLC0415
        from streamrnn.daemon.metrics import MeteredHealth  # noqa: PLC0415
        from streamrnn.daemon.server import StatusServer  # noqa: PLC0415

        options = self.config.server
        if not isinstance(self.health, MeteredHealth):
            raise TypeError("a server needs metered health")
        desk = None
        if kind.feedback_memory is not None:
            self.health.hears(kind.label, kind.time)
        if options.feedback_token is not None:
            desk = FeedbackDesk(options.feedback_token, make_source(self.config), str(kind.label), self.health.alarm)
        server = StatusServer(
            self.health, options.port, options.host, options.stuck_after_s, options.hosts, desk, options.socket_file
        )
        return stack.enter_context(server).port

    def _leave(self) -> None:
        self._notifier.stopping("a signal came while it compiled")
        self._stopped(self.health.summary)

    def _stopped(self, summary: Summary) -> None:
        self.health.phase = "stopped"
        reason = "signal" if self._signals.stopped else "the source ended"
        say(
            "stopped", reason=reason, events=summary.events, alarms=summary.alarms, dead_letters=summary.dead_letters,
            seconds=round(time.monotonic() - self.health.started, 1),
        )  # fmt: skip

    def _tick(self) -> bool:
        """Look at the world between two blocks; return whether to stop."""
        now = time.monotonic()
        self.health.tick(now)
        self._notifier.alive(now)
        if self.health.phase == "starting":
            if self._looked:  # the first poll has come back, and what it brought is taken up
                self.health.phase = "running"
                self._notifier.ready(self.health.state)
            self._looked = True
        if self._signals.take_reload():
            self._answer_reload()
        if self._signals.stopped and self.health.phase in ("starting", "running"):
            self.health.phase = "stopping"
            self._notifier.stopping("a signal came; writing the last results and a snapshot")
            say("stopping", reason="signal")
        elif self.health.phase != "starting" and now - self._last_said >= STATUS_S:
            self._last_said = now
            done = self.health.summary
            trouble = f"; {self.health.trouble}" if self.health.trouble else ""
            stage = f"{self.health.state}: {self.health.detail()}; " if self.health.detail() else ""
            self._notifier.status(
                f"{stage}{done.events:,} events, {self.health.rate():,.0f}/s, {done.alarms:,} alarms{trouble}"
            )
        return self._signals.stopped

    def _answer_reload(self) -> None:
        """Take over what may change in a running process, and say what may not."""
        self._notifier.reloading()
        try:
            fresh = self._reload()
        except StreamrnnError as error:
            problems = error.problems if isinstance(error, ConfigError) else [str(error)]
            say("reload_refused", logging.ERROR, problems="; ".join(problems))
        else:
            old, new = _flat(self.config), _flat(fresh)
            changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
            taken = [name for name in changed if name in RELOADABLE]
            refused = [name for name in changed if name not in RELOADABLE]
            self._apply(fresh)
            say("reloaded", changed=", ".join(taken) or "nothing")
            if refused:
                say("reload_refused", logging.WARNING, options=", ".join(refused), remedy="restart to change these")
        self._notifier.ready("running")

    def _apply(self, fresh: Config) -> None:
        """Take over the reloadable options of a configuration."""
        kept = self.config
        alarm = msgspec.structs.replace(fresh.alarm, window=kept.alarm.window, warm_up=kept.alarm.warm_up)
        state = msgspec.structs.replace(kept.state, every=fresh.state.every, every_s=fresh.state.every_s)
        log = msgspec.structs.replace(kept.log, level=fresh.log.level)
        self.config = msgspec.structs.replace(kept, alarm=alarm, state=state, log=log)
        set_up(log.format, log.level, clients=client_loggers(kept))
        self.health.alarm_rate = alarm.share
        runtime = self.health.runtime
        if isinstance(runtime, Runtime):
            runtime.reload(make_shards(self.config), state.every, state.every_s)
            for shard in runtime.shards().values():
                shard.set_alarm(alarm)


class _Loud(Health):
    """Health whose changes are log lines."""

    def assigned(self, partition: str, seconds: float, restored: bool) -> None:
        super().assigned(partition, seconds, restored)
        if restored:
            say("restored", partition=safe_name(partition, NAME, isolate=False), seconds=round(seconds, 3))

    def revoked(self, partition: str) -> None:
        super().revoked(partition)
        say("revoked", partition=safe_name(partition, NAME, isolate=False))

    def grown(self, partition: str, columns: Sequence[str]) -> None:
        super().grown(partition, columns)
        say("columns_added", partition=partition, columns=", ".join(columns))

    def lost(self, why: str, in_a_row: int) -> None:
        super().lost(why, in_a_row)
        say("commit_lost", logging.WARNING, why=why, in_a_row=in_a_row)

    def troubled(self, why: str | None) -> None:
        before = self.trouble
        super().troubled(why)
        if why is not None and before is None:
            say("trouble", logging.WARNING, why=why)
        elif why is None and before is not None:
            say("recovered", after=before)
