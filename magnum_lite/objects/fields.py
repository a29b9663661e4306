"""The types of attributes: what the wire may send, and what a schema says; ``columns`` has rows.

``accept`` is lenient where real clients need it (Horizon sends every scalar as text); ``coerce``
is what oslo.versionedobjects calls on assignment and is strict.
"""

import datetime
import re
from collections.abc import Mapping
from typing import Any

from oslo_versionedobjects import fields as ovo

TRUE = ('1', 't', 'true', 'on', 'y', 'yes')
FALSE = ('0', 'f', 'false', 'off', 'n', 'no')
MAX_INT = 2**31 - 1  # a signed 32-bit column on every database
MAX_GIB = 65_536  # of a volume
_SURROGATE = re.compile('[\ud800-\udfff]')


class Type(ovo.FieldType[Any]):
    """Base of all types."""

    def accept(self, value: Any) -> Any:
        """The value that a JSON value of the wire stands for.

        :raises ValueError: with a text that says what is accepted.
        """
        return value

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the value on the wire."""
        return {}

    def coerce(self, obj: Any, attr: str, value: Any) -> Any:
        """The value itself: rows and accepted input are right already."""
        return value


class String(Type):
    """Text of ``min`` to ``max`` characters, matching ``pattern`` as a whole.

    ``says`` is what people read in place of the pattern, with an example.
    """

    def __init__(self, *, min: int = 0, max: int = 255, pattern: str | None = None, says: str = ''):
        self.min, self.max, self.pattern, self.says = min, max, pattern, says

    def accept(self, value: Any) -> str:
        """The text."""
        if not isinstance(value, str):
            raise ValueError('a string is expected')
        if not self.min <= len(value) <= self.max:
            raise ValueError(f'a string of {self.min} to {self.max} characters is expected')
        if self.pattern and not re.match(self.pattern, value):
            raise ValueError(f'{self.says} is expected')
        return storable(value)

    def json_schema(self) -> dict[str, Any]:
        """Type, lengths and pattern."""
        schema: dict[str, Any] = {'type': 'string', 'maxLength': self.max}
        if self.min:
            schema['minLength'] = self.min
        if self.pattern:
            schema['pattern'] = self.pattern
        return schema


class Text(String):
    """Long text, not indexed; what is taken from outside is limited by the request's size too."""

    def __init__(self, *, max: int = 1_000_000) -> None:
        super().__init__(max=max)


class Uuid(String):
    """A UUID in its usual spelling; the wire may give the name of the thing in its place."""

    def __init__(self) -> None:
        super().__init__(max=36)

    def accept(self, value: Any) -> str:
        """The UUID, or a name, which the handler looks up."""
        return String(min=1).accept(value)

    def json_schema(self) -> dict[str, Any]:
        """A string of format uuid."""
        return {'type': 'string', 'format': 'uuid'}


class Enum(String):
    """One of some words."""

    def __init__(self, *values: str):
        super().__init__(max=max(32, *(len(v) for v in values)))
        self.values = values

    def accept(self, value: Any) -> str:
        """The word.

        :raises ValueError: naming the words.
        """
        if value not in self.values or not isinstance(value, str):
            raise ValueError('one of ' + ', '.join(self.values) + ' is expected')
        return value

    def json_schema(self) -> dict[str, Any]:
        """The words."""
        return {'type': 'string', 'enum': list(self.values)}


class Integer(Type):
    """A whole number; numeric text, whole floats and booleans are accepted."""

    def __init__(self, *, min: int | None = None, max: int = MAX_INT):
        self.min, self.max = min, max

    def accept(self, value: Any) -> int:
        """The number."""
        try:
            number = int(value) if not isinstance(value, str) else int(value.strip(), 10)
        except (TypeError, ValueError, OverflowError):
            raise ValueError('an integer is expected') from None
        if isinstance(value, float) and value != number:
            raise ValueError('an integer is expected')
        if self.min is not None and number < self.min or number > self.max:
            low = '' if self.min is None else f'{self.min} to '
            raise ValueError(f'an integer of {low}{self.max} is expected')
        return number

    def json_schema(self) -> dict[str, Any]:
        """Type and limits."""
        schema: dict[str, Any] = {'type': 'integer', 'maximum': self.max}
        if self.min is not None:
            schema['minimum'] = self.min
        return schema


class Boolean(Type):
    """True or false; the usual words and 0 / 1 are accepted."""

    def accept(self, value: Any) -> bool:
        """The truth."""
        word = str(value).lower() if isinstance(value, bool | int | str) else ''
        if word in TRUE:
            return True
        if word in FALSE:
            return False
        raise ValueError('a boolean is expected')

    def json_schema(self) -> dict[str, Any]:
        """Type."""
        return {'type': 'boolean'}

    def coerce(self, obj: Any, attr: str, value: Any) -> bool:
        """A real boolean: some databases hand out 0 and 1."""
        return bool(value)


class DateTime(Type):
    """A moment, UTC, with microseconds."""

    def json_schema(self) -> dict[str, Any]:
        """A string of format date-time."""
        return {'type': 'string', 'format': 'date-time'}

    def coerce(self, obj: Any, attr: str, value: datetime.datetime | str) -> datetime.datetime:
        """With the zone UTC, which rows lack."""
        if isinstance(value, str):
            value = datetime.datetime.fromisoformat(value)
        return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)

    def to_primitive(self, obj: Any, attr: str, value: datetime.datetime) -> str:
        """ISO 8601 with offset."""
        return value.isoformat()


class Json(Type):
    """Any JSON value; ``schema`` says which."""

    def __init__(self, schema: Mapping[str, Any]):
        self.schema = dict(schema)

    def accept(self, value: Any) -> Any:
        """The value; only whether it is a list, and of objects, is looked at."""
        if self.schema.get('type') == 'array':
            of_objects = self.schema.get('items', {}).get('type') == 'object'
            if (
                not isinstance(value, list)
                or of_objects
                and not all(isinstance(item, dict) for item in value)
            ):
                raise ValueError(f'a list{" of objects" if of_objects else ""} is expected')
        return value

    def json_schema(self) -> dict[str, Any]:
        """As declared."""
        return dict(self.schema)


class StringMap(Json):
    """Text to text, at most ``max`` entries of at most ``max_text`` characters together.

    Unless ``strict``, numbers and booleans are accepted and become text.
    """

    max_text = 65_536

    def __init__(self, *, strict: bool = False, max: int = 256) -> None:
        super().__init__(
            {'type': 'object', 'additionalProperties': {'type': 'string'}, 'maxProperties': max}
        )
        self.max = max
        self.kinds = (str,) if strict else (str, int, float, bool)

    def accept(self, value: Any) -> dict[str, str]:
        """The map with every value as text."""
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise ValueError('a map of strings is expected')
        for key, item in value.items():
            if not isinstance(item, self.kinds):
                raise ValueError(
                    f'the value of {key[:60]} has to be a '
                    f'{" or ".join(kind.__name__ for kind in self.kinds)}'
                )
            if len(key) > 255 or len(str(item)) > 4096:
                raise ValueError(f'{key[:60]}: keys have at most 255, values 4096 characters')
        found = {storable(key): storable(str(item)) for key, item in value.items()}
        self.check_size(found)
        return found

    def check_size(self, found: Mapping[str, str]) -> None:
        """Refuse a map that is too large as a whole, however it came together.

        :raises ValueError: saying how large it may be.
        """
        if len(found) > self.max or sum(map(len, (*found, *found.values()))) > self.max_text:
            raise ValueError(
                f'a map of at most {self.max} entries, and of at most {self.max_text} '
                'characters in all, is expected'
            )


class StringList(Json):
    """A list of at most ``max`` texts."""

    max = 1000

    def __init__(self) -> None:
        super().__init__({'type': 'array', 'items': {'type': 'string'}})

    def accept(self, value: Any) -> list[str]:
        """The list."""
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError('a list of strings is expected')
        if len(value) > self.max or any(len(item) > 255 for item in value):
            raise ValueError(
                f'a list of at most {self.max} strings of at most 255 characters is expected'
            )
        return [storable(item) for item in value]


def storable(text: str) -> str:
    """The text, if every database can hold it.

    :raises ValueError: it has a NUL (PostgreSQL) or half a surrogate pair (no UTF-8).
    """
    if '\0' in text or not text.isascii() and _SURROGATE.search(text):
        raise ValueError('text of Unicode characters without NUL is expected')
    return text
