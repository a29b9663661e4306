"""The Plan: what a driver answers to a Spec. Parts, with Heat stacks, in order; frozen, no I/O."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from magnum_lite.driver_sdk.spec import Secret


class Part(Protocol):
    """What is built as one: a ``Stack``, or a frozen value of a driver that does without Heat."""

    @property
    def key(self) -> str:
        """Names it within the plan."""

    @property
    def name(self) -> str:
        """Its name outside, from the cluster's uuid: the service notes it before it is made."""

    @property
    def node_group(self) -> str | None:
        """Uuid of the group whose nodes it holds, if any."""

    @property
    def generation(self) -> int | None:
        """Which generation of the group they are; None where groups never have several."""

    @property
    def requires(self) -> frozenset[str]:
        """Keys of the parts that have to be complete before it."""

    @property
    def digest(self) -> str:
        """32 hexadecimal digits over all that it is to be: see ``digest_of``."""

    def document(self) -> dict[str, Any]:
        """The part as JSON, secrets by reference."""


def digest_of(document: Mapping[str, Any]) -> str:
    """The digest of a part that has this document."""
    text = json.dumps(document, sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Output:
    """A parameter that another stack of the plan provides once it is complete."""

    stack: str
    output: str


@dataclass(frozen=True)
class Stack:
    """One Heat stack as it should be.

    :ivar key: names it within the plan: ``base``, or ``<node group uuid>-<generation>``.
    :ivar name: its name in Heat; derived from the cluster's uuid, so that a step repeated after a
        crash finds what is there.
    :ivar template: HOT text.
    :ivar files: ``{name in get_file or type: text}``.
    :ivar parameters: ``{name: JSON value, Secret or Output}``.
    :ivar environment: Heat environment without parameters (``resource_registry`` ...).
    :ivar kept: parameters that keep the value which the stack was made with, or their default where
        it was made without them: Heat would replace a part that must stay.
    :ivar node_group: uuid of the group whose nodes it holds, or None.
    :ivar generation: which generation of the group they are, where groups may have several.
    :ivar timeout_min: minutes that Heat may take for one action.
    """

    key: str
    name: str
    template: str
    parameters: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    node_group: str | None = None
    generation: int | None = None
    timeout_min: int = 60

    @property
    def requires(self) -> frozenset[str]:
        """Keys of the stacks whose outputs it takes."""
        return frozenset(v.stack for v in self.parameters.values() if isinstance(v, Output))

    @property
    def digest(self) -> str:
        """32 hexadecimal digits over all that Heat is given; secrets count by their reference."""
        return digest_of(self.document())

    def document(self) -> dict[str, Any]:
        """The stack as JSON, secrets and outputs as references: what golden files hold."""
        return {
            'key': self.key,
            'name': self.name,
            'template': self.template,
            'files': dict(self.files),
            'environment': dict(self.environment),
            'parameters': {k: _reference(v) for k, v in self.parameters.items()},
            'node_group': self.node_group,
            'timeout_min': self.timeout_min,
        }

    def resolve(self, outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Parameters as Heat takes them.

        :param outputs: ``{stack key: {output: value}}`` of the stacks in ``requires``.
        :raises ValueError: a secret without a value: the plan came from a dry run.
        """
        return {name: _value(name, value, outputs) for name, value in self.parameters.items()}


@dataclass(frozen=True)
class Plan:
    """Parts in an order in which each comes after those it requires."""

    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Part]:
        return iter(self.parts)

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Those parts that are stacks: all, in the plan of a ``HeatDriver``."""
        return tuple(part for part in self.parts if isinstance(part, Stack))

    def document(self) -> dict[str, Any]:
        """The plan as JSON."""
        return {'parts': [part.document() for part in self.parts]}


def _reference(value: Any) -> Any:
    if isinstance(value, Secret):
        return {'secret': value.ref}
    if isinstance(value, Output):
        return {'output': [value.stack, value.output]}
    return value


def _value(name: str, value: Any, outputs: Mapping[str, Mapping[str, Any]]) -> Any:
    if isinstance(value, Secret):
        if value.value is None:
            raise ValueError(f'parameter {name}: the plan of a dry run cannot be applied')
        return value.value
    if isinstance(value, Output):
        return outputs[value.stack][value.output]
    return value
