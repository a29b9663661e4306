"""Recipes of node images: data in a file, one for each kind of image."""

import dataclasses
import hashlib
import json
import pathlib

import yaml

from magnum_lite_dev.trouble import Trouble

RECIPES = pathlib.Path(__file__).with_name('recipes.yaml')
LISTS = ('packages', 'excluded', 'removed', 'enabled', 'disabled', 'masked')


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What one image is made of; ``recipes.yaml`` says what each field means."""

    name: str
    suite: str
    packages: list[str]
    variant: str = 'minbase'
    excluded: list[str] = dataclasses.field(default_factory=list)
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    links: dict[str, str] = dataclasses.field(default_factory=dict)
    removed: list[str] = dataclasses.field(default_factory=list)
    enabled: list[str] = dataclasses.field(default_factory=list)
    disabled: list[str] = dataclasses.field(default_factory=list)
    masked: list[str] = dataclasses.field(default_factory=list)
    properties: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Changes when what the image is made of does; what Glance says of it is no part."""
        made_of = {**dataclasses.asdict(self), 'properties': None}
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def read(name, path=RECIPES) -> Recipe:
    """The recipe of that name in a file.

    :raises Trouble: there is none, or it is not one.
    """
    try:
        told = yaml.safe_load(pathlib.Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise Trouble(f'the recipes cannot be read: {error}') from error
    if not isinstance(told, dict) or name not in told:
        known = ', '.join(sorted(told)) if isinstance(told, dict) else 'none'
        raise Trouble(f'there is no recipe {name} in {path}; it has {known}')
    try:
        recipe = Recipe(name=name, **told[name])
    except TypeError as error:
        raise Trouble(f'the recipe {name} in {path} is none: {error}') from error
    for field in LISTS:
        value = getattr(recipe, field)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise Trouble(f'the recipe {name} in {path}: {field} is no list of texts')
    return recipe
