"""What a run knows of its model: how one is made, written and read."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streamrnn.config_secrets import shown
from streamrnn.container import Blob
from streamrnn.errors import ConfigError, ModelChangedError, StateError
from streamrnn.scorers.check_model import check_model, is_foreign, maker
from streamrnn.scorers.parts import is_net, nets_of
from streamrnn.scorers.table import FEEDBACK_MEMORY, KEY, LABEL, MODELS, NONE, SHARE, TIME, own_parameters, short_name

__all__ = ["ModelKind", "model_kind"]


@dataclass(frozen=True, slots=True)
class ModelKind:
    """How the runtime makes, writes and reads one model.

    Parameters
    ----------
    name, parameters
        What a snapshot records and a restart compares.
    make
        Returns a new model.
    dumps, loads
        The model as bytes and back, without pickle; None where the model has no such form. It then runs
        without snapshots only.
    numerics
        What the last bits of its results depend on, see :func:`streamrnn.models._numerics.numeric_abi`; empty where
        nobody knows.
    label
        The column that ``[model] label`` names: what the model predicts, or feedback on events; None: there is none.
    feedback_memory
        Where the label is feedback, the events of a key that are remembered for feedback to come; None: the label is predicted.
    time
        The column that the model sees as the time of its events; None: it sees none.
    make_shared
        Returns a new model that so many keys share, as its ``key`` does; None where it has no such way, or each key is to have one.
    nets
        This library's models within one that is not of :data:`streamrnn.scorers.table.MODELS`: what there is to compile.

    Examples
    --------
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.scorers.kinds import ModelKind
    >>> ModelKind("HalfSpaceTrees", {}, HalfSpaceTrees).dumps is None
    True
    """

    name: str
    parameters: Mapping[str, Any]
    make: Callable[[], Any]
    dumps: Callable[[Any], Blob] | None = field(default=None)
    loads: Callable[[bytes], Any] | None = field(default=None)
    numerics: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None
    feedback_memory: int | None = None
    time: str | None = None
    make_shared: Callable[[int], Any] | None = None
    nets: tuple[Any, ...] = ()

    @property
    def predicted(self) -> str | None:
        """The only column that is predicted; None: all are."""
        return self.label if self.feedback_memory is None else None

    def check_model(self, written: Mapping[str, Any]) -> None:
        """Raise where a snapshot is of another model.

        Parameters
        ----------
        written
            ``kind`` and ``parameters`` of the model that was written.

        Raises
        ------
        ModelChangedError
            With all that differs.
        """
        now = {"kind": self.name, **self.parameters}
        then = {"kind": written["kind"], **written["parameters"]}
        changes = [
            f"{name}: {shown(name, then.get(name, 'unset'))!r} then, {shown(name, now.get(name, 'unset'))!r} now"
            for name in sorted({*now, *then} - {SHARE})  # the snapshot says what there was, asked for or not
            if now.get(name) != then.get(name)
        ]
        if changes:
            raise ModelChangedError(
                "The snapshot was written by another [model] (" + "; ".join(changes) + "). "
                "Restore the old values, let a new model go on with [state] on_change = 'fresh', or start anew with --fresh."
            )

    def numerics_changes(self, written: Mapping[str, str]) -> str:
        """Say in what the numerics of a snapshot and ours differ; nothing where they do not.

        Parameters
        ----------
        written
            Those of the snapshot.

        Examples
        --------
        >>> from streamrnn.scorers.kinds import ModelKind
        >>> kind = ModelKind("mine", {}, object, numerics={"cpu": "znver5", "numba": "0.68.1"})
        >>> kind.numerics_changes({"cpu": "haswell", "numba": "0.68.1"})
        'cpu: haswell then, znver5 now'
        """
        return "; ".join(
            f"{name}: {written[name]} then, {self.numerics.get(name, 'unknown')} now"
            for name in sorted(written)
            if written[name] != self.numerics.get(name)
        )

    def check_numerics(self, written: Mapping[str, str], *, refuse: bool) -> None:
        """Say where a snapshot was computed with other numerics.

        Parameters
        ----------
        written
            Those of the snapshot.
        refuse
            Whether a difference is an error.

        Raises
        ------
        StateError
            With all that differs, where it is to be refused. Else it is a warning.
        """
        changes = self.numerics_changes(written)
        if not changes:
            return
        said = f"The snapshot was computed with other numerics ({changes}), "
        if refuse:
            raise StateError(said + "and [state] numerics = 'refuse'. Go on where it was written, or set it to 'warn'.")
        warnings.warn(
            said + "so what follows may differ in the last bits from an undisturbed run.", RuntimeWarning, stacklevel=4
        )


def model_kind(name: str, parameters: Mapping[str, Any], *, foreign: bool = True) -> ModelKind:
    """Return the kind of model that ``[model]`` describes.

    Parameters
    ----------
    name, parameters, foreign
        As for :func:`streamrnn.scorers.check_model.check_model`.

    Raises
    ------
    ConfigError
        When there is no such model, or a parameter is wrong.

    Examples
    --------
    >>> from streamrnn.scorers.kinds import model_kind
    >>> type(model_kind("RNNAnomalyDetector", {"seed": 3}).make()).__name__
    'RNNAnomalyDetector'
    """
    problems = check_model(name, parameters, foreign=foreign)
    if problems:
        raise ConfigError(problems)
    name, label = short_name(name), parameters.get(LABEL)
    own = own_parameters(name, parameters)
    row = MODELS.get(name)
    if row is None:
        make = maker(name, own)
        if not foreign and is_foreign(name):  # nothing is known of it but its name
            return ModelKind(name, dict(parameters), lambda: make()[0], label=label)
        first = make()[0]
        time, nets = first.time if is_net(first) else None, tuple(nets_of(first))
        return ModelKind(name, dict(parameters), lambda: make()[0], label=label, time=time, nets=nets)
    import streamrnn  # noqa: PLC0415  (imports river, which a wrong name should not wait for)
    from streamrnn.models._numerics import numeric_abi  # noqa: PLC0415
    from streamrnn.models.persistence import decode, encode_pieces  # noqa: PLC0415

    cls = getattr(streamrnn, name)
    return ModelKind(
        name,
        dict(parameters),
        lambda: cls(**own),
        encode_pieces,
        decode,
        numeric_abi(cls(**own).cell),
        label,
        parameters.get(FEEDBACK_MEMORY, 0) if label is not None and row.takes_feedback else None,
        parameters.get(TIME),
        None if parameters.get(SHARE) == NONE else lambda room: cls(**row.with_keys(own), key=KEY, max_keys=room),
    )
