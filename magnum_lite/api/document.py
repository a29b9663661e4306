"""What endpoints take and answer beside resources: small documents, patches, lists, nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from magnum_lite.objects.attribute import Attribute, attr
from magnum_lite.objects.base import Resource
from magnum_lite.objects.fields import Uuid


class Document:
    """Attributes that are no resource: a small body, or an answer.

    :ivar name: its name in the OpenAPI document.
    :ivar collection: the key of a list of them; '' for what has no list.
    :ivar open: whether it may have more than its attributes.
    """

    def __init__(
        self,
        name: str,
        attributes: Mapping[str, Attribute],
        *,
        collection: str = '',
        open: bool = False,
    ):
        self.name, self.collection, self.open = name, collection, open
        self._attributes = dict(attributes)

    def attributes(self) -> Mapping[str, Attribute]:
        """All attributes, in their order."""
        return self._attributes


Shape = type[Resource] | Document


@dataclass(frozen=True)
class Patch:
    """A JSON-Patch document that changes a resource."""

    resource: type[Resource]


@dataclass(frozen=True)
class Many:
    """A list, ``{collection: [...]}``.

    :ivar paged: whether it comes in pages, and has ``next`` when the page is full.
    """

    of: Shape
    paged: bool = True


# As a body: none, or an empty object. As an answer: 204.
NOTHING = Document('Nothing', {})
ACCEPTED = Document('Accepted', {'uuid': attr(Uuid(), doc='Of the cluster.')})


def name(shape: Shape) -> str:
    """What a shape is called in the OpenAPI document."""
    return shape.name if isinstance(shape, Document) else shape.noun
