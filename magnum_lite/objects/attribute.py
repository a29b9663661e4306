"""Attribute: a field of a Resource with its limits, its doc and how REST shows it."""

from dataclasses import dataclass
from typing import Any

from oslo_versionedobjects import fields as ovo

from magnum_lite.objects.fields import Type


@dataclass(frozen=True)
class Exposure:
    """How REST shows an attribute; None as ``since`` hides it.

    :ivar since: the microversion that shows it first.
    :ivar create: ``required``, ``optional``, ``ignored`` (taken and dropped) or '' (refused).
    :ivar update: whether JSON-Patch may change it.
    :ivar blank: whether '' means not given, as Horizon and gophercloud send it.
    :ivar sometimes: whether documents may lack it; ``doc`` says when.
    """

    since: str | None
    create: str = ''
    update: bool = False
    unit: str = ''
    doc: str = ''
    blank: bool = False
    sometimes: bool = False


class Attribute(ovo.Field[Any]):
    """A field with its exposure.

    :ivar added: the version of the object that has it first.
    """

    def __init__(self, kind: Type, exposure: Exposure, *, nullable: bool, default: Any, added: str):
        super().__init__(kind, nullable=nullable, default=default)
        self.kind = kind
        self.exposure = exposure
        self.added = added


def attr(
    kind: Type,
    *,
    doc: str,
    since: str = '1.1',
    create: str = '',
    update: bool = False,
    unit: str = '',
    blank: bool = False,
    sometimes: bool = False,
    nullable: bool = False,
    default: Any = ovo.UnspecifiedDefault,
    added: str = '1.0',
) -> Attribute:
    """An attribute that REST shows; arguments as in ``Exposure`` and ``Attribute``."""
    return Attribute(
        kind,
        Exposure(since, create, update, unit, doc, blank, sometimes),
        nullable=nullable,
        default=default,
        added=added,
    )


def internal(
    kind: Type,
    *,
    doc: str,
    nullable: bool = False,
    default: Any = ovo.UnspecifiedDefault,
    added: str = '1.0',
) -> Attribute:
    """An attribute that REST never shows."""
    return Attribute(kind, Exposure(None, doc=doc), nullable=nullable, default=default, added=added)
