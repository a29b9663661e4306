"""The source files of the checkout, and what stands in them."""

import ast
import configparser
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def sources(*folders):
    """The Python files of ours below some folders of the checkout, as paths."""
    folders = folders or ('magnum_lite', 'magnum_lite_dev', 'drivers')
    found = [path for folder in folders for path in (ROOT / folder).rglob('*.py')]
    outside = {'build', '.tox', 'migrations', 'node_modules'}
    return sorted(path for path in found if not outside & set(path.relative_to(ROOT).parts))


def nodes(paths):
    """(name relative to the checkout, syntax node) of every node of some files."""
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(), name)):
            yield name, node


def imports(paths):
    """(name relative to the checkout, top-level package) of every absolute import of some files."""
    for name, node in nodes(paths):
        if isinstance(node, ast.Import):
            yield from ((name, alias.name.partition('.')[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield name, node.module.partition('.')[0]


def own_lines(function):
    """Lines of a function without its docstring."""
    length = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        length -= docstring.end_lineno - docstring.lineno + 1
    return length


def requirements(section, key):
    """Names of the distributions that an option of setup.cfg lists, in lower case with dashes."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / 'setup.cfg')
    lines = parser[section][key].split('\n')
    return {normal(re.split(r'[\[<>=!~; ]', line)[0]) for line in lines if line.strip()}


def normal(name):
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r'[-_.]+', '-', name).lower()
