"""A plug-in of mypy: an attribute of a versioned object has the type that its one line says.

oslo.versionedobjects makes properties of ``fields`` when a class is registered, which mypy cannot
see. The objects are imported here, so that what ``shape`` or ``stamps`` add is known too.
"""

from collections.abc import Callable

from mypy.nodes import MDEF, SymbolTableNode, Var
from mypy.plugin import ClassDefContext, Plugin, ReportConfigContext
from mypy.types import AnyType, Instance, NoneType, Type, TypeOfAny, UnionType

from magnum_lite.objects import RESOURCES, fields

BASE = 'magnum_lite.objects.base.Resource'
# The first that fits: some types derive from others.
PYTHON: tuple[tuple[type[fields.Type], str, tuple[str, ...]], ...] = (
    (fields.StringMap, 'builtins.dict', ('builtins.str', 'builtins.str')),
    (fields.StringList, 'builtins.list', ('builtins.str',)),
    (fields.DateTime, 'datetime.datetime', ()),
    (fields.Boolean, 'builtins.bool', ()),
    (fields.Integer, 'builtins.int', ()),
    (fields.String, 'builtins.str', ()),
)


class Objects(Plugin):
    """Adds the attributes to the classes."""

    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        """Whom to ask about a class that derives from another."""
        return _add_attributes if fullname == BASE else None

    def report_config_data(self, ctx: ReportConfigContext) -> list[str] | None:
        """What makes mypy read the objects again: the attributes of all of them."""
        if not ctx.id.startswith('magnum_lite.objects'):
            return None
        return [
            f'{resource.__name__}.{name}: {type(field.kind).__name__} {field.nullable}'
            for resource in RESOURCES
            for name, field in resource.fields.items()
        ]


def plugin(version: str) -> type[Plugin]:
    """Where mypy begins."""
    return Objects


def _add_attributes(context: ClassDefContext) -> None:
    info = context.cls.info
    attributes = {each.__name__: each.fields for each in RESOURCES}
    for name, field in attributes.get(info.name, {}).items():
        found = _type(context, field.kind)
        if field.nullable:
            found = UnionType([found, NoneType()])
        variable = Var(name, found)
        variable.info, variable._fullname = info, f'{info.fullname}.{name}'
        info.names[name] = SymbolTableNode(MDEF, variable, plugin_generated=True)


def _type(context: ClassDefContext, kind: fields.Type) -> Type:
    """What Python has for a type of ours."""
    for ours, name, arguments in PYTHON:
        if isinstance(kind, ours):
            return _named(context, name, *(_named(context, each) for each in arguments))
    anything = AnyType(TypeOfAny.explicit)
    shape = kind.json_schema().get('type')
    if shape == 'object':
        return _named(context, 'builtins.dict', _named(context, 'builtins.str'), anything)
    return _named(context, 'builtins.list', anything) if shape == 'array' else anything


def _named(context: ClassDefContext, name: str, *arguments: Type) -> Instance:
    found = context.api.named_type_or_none(name, list(arguments))
    if not found:
        raise LookupError(f'{name} is not loaded')
    return found
