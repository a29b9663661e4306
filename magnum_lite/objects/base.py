"""Resource: a versioned object that is a table and a REST document at once."""

import copy
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from oslo_utils import versionutils
from oslo_versionedobjects import base as ovo
from oslo_versionedobjects import fields as ovo_fields

from magnum_lite.objects import fields
from magnum_lite.objects.attribute import Attribute, attr, internal


class Registry(ovo.VersionedObjectRegistry):
    """All resources by name."""


class Resource(ovo.VersionedObject):
    """Base of all versioned objects.

    :ivar id: of its row, in the order of creation.
    :cvar computed: attributes of the REST document that no column holds.
    :cvar noun: what the wire calls one, where that is not the name of the class.
    :cvar collection: the plural in URLs and list documents, '' for what has no list.
    """

    OBJ_PROJECT_NAMESPACE = 'magnum_lite'
    VERSION = '1.0'
    fields: dict[str, Attribute] = {}  # type: ignore[assignment]
    id: int | None
    computed: ClassVar[dict[str, Attribute]] = {}
    noun: ClassVar[str]
    collection: ClassVar[str] = ''

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.noun = vars(cls).get('noun', cls.__name__)

    @classmethod
    def new(cls, **values: Any) -> Self:
        """An object with every field set: to the value given, else to its default, else to None.

        A field named ``uuid`` gets a fresh one.
        """
        obj = cls()
        for name, field in cls.fields.items():
            if name in values:
                value = values.pop(name)
            elif name == 'uuid':
                value = str(uuid.uuid4())
            elif field.default is not ovo_fields.UnspecifiedDefault:
                value = copy.deepcopy(field.default)
            elif field.nullable:
                value = None
            else:
                continue  # set by the database, or an error that reading it will tell
            setattr(obj, name, value)
        if values:
            raise TypeError(f'{cls.__name__} has no {", ".join(sorted(values))}')
        return obj

    @classmethod
    def from_row(cls, row: Any) -> Self:
        """The object of a row that has all columns."""
        obj = cls()
        for name in cls.fields:
            setattr(obj, name, getattr(row, name))
        obj.obj_reset_changes()
        return obj

    def as_row(self) -> dict[str, Any]:
        """``{column: value}`` of all fields that are set, but for an ``id`` not known yet."""
        found = {name: getattr(self, name) for name in self.fields if self.obj_attr_is_set(name)}
        if found.get('id', 0) is None:
            del found['id']
        return found

    @classmethod
    def attributes(cls) -> Mapping[str, Attribute]:
        """All attributes that REST may show, in the order in which documents show them."""
        found = {**cls.fields, **cls.computed}
        return {name: field for name, field in found.items() if field.exposure.since}

    def obj_make_compatible(self, primitive: dict[str, Any], target_version: str) -> None:
        """Drop what the target version does not know yet."""
        target = versionutils.convert_version_to_tuple(target_version)
        for name, field in self.fields.items():
            if versionutils.convert_version_to_tuple(field.added) > target:
                primitive.pop(name, None)


def identity(create: str = '') -> dict[str, Attribute]:
    """The columns that almost every table starts with.

    :param create: what becomes of a uuid that a create body brings, as in ``Exposure``.
    """
    return {
        'id': internal(fields.Integer(), nullable=True, doc='Row id; order of creation.'),
        'uuid': attr(fields.Uuid(), create=create, doc='Identifies it for ever.'),
    }


def stamps() -> dict[str, Attribute]:
    """The columns that almost every table ends with."""
    return {
        'created_at': attr(
            fields.DateTime(), nullable=True, unit='UTC', doc='When it was accepted.'
        ),
        'updated_at': attr(
            fields.DateTime(),
            nullable=True,
            unit='UTC',
            doc='When it was changed last; null until then.',
        ),
    }


LINKS = attr(
    fields.Json(
        {
            'type': 'array',
            'items': {
                'type': 'object',
                'required': ['href', 'rel'],
                'properties': {
                    'href': {'type': 'string'},
                    'rel': {'type': 'string'},
                    'type': {'type': 'string'},
                },
            },
        }
    ),
    doc='Links to itself: self and bookmark.',
)
