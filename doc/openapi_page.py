"""Sphinx directive ``openapi``: the endpoints and documents of the service, for people."""

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.util.nodes import nested_parse_with_titles

from magnum_lite.api import (
    controllers,  # noqa: F401 - registers the endpoints
    openapi,
)


class OpenApi(Directive):
    """Sections for the endpoints of each noun, and one for the documents."""

    def run(self):
        """The nodes of the page."""
        lines = StringList(list(page(openapi.document(''))), source='openapi')
        section = nodes.section()
        section.document = self.state.document
        nested_parse_with_titles(self.state, lines, section)
        return section.children


def page(document):
    """The lines of the page, as reStructuredText."""
    for tag in (tag['name'] for tag in document['tags']):
        yield from title(tag, '=')
        for path, methods in document['paths'].items():
            for method, operation in methods.items():
                if tag in operation['tags']:
                    yield from endpoint(document, f'{method.upper()} {path}', operation)
    yield from title('Documents', '=')
    for name, schema in document['components']['schemas'].items():
        yield from ['', f'.. _document-{name}:']
        yield from title(name, '-')
        yield from [schema.get('description', ''), '']
        rows = schema.get('items', schema).get('properties', {})
        required = schema.get('items', schema).get('required', [])
        yield from table(
            'attribute',
            [
                (
                    key,
                    kind(value),
                    since(value)
                    + ('' if key in required else 'May be absent. ')
                    + value.get('description', ''),
                )
                for key, value in rows.items()
            ],
        )


def endpoint(document, name, operation):
    """One endpoint."""
    yield from title(name, '-')
    yield from [operation['summary'] + '. ' + text(operation.get('description', '')), '']
    if 'x-min-version' in operation:
        yield from [f'Since microversion {operation["x-min-version"]}.', '']
    if 'x-policy' in operation:
        yield from [f'Policy: ``{operation["x-policy"]}``.', '']
    yield from table(
        'parameter',
        [
            (one['name'], one['in'], since(one) + one['description'])
            for one in operation['parameters']
            if one['in'] != 'header'
        ],
    )
    if 'requestBody' in operation:
        yield from ['Body: ' + content(operation['requestBody']), '']
    for status, response in operation['responses'].items():
        response = resolved(document, response)
        yield f':{status}: {text(response["description"])} {content(response)}'
    yield ''


def content(said):
    """What a body or an answer is, with links to the documents."""
    schema = said.get('content', {}).get('application/json', {}).get('schema', {})
    if '$ref' in schema:
        return link(schema)
    for name, value in schema.get('properties', {}).items():
        if value.get('type') == 'array':
            return f'``{name}``: a list of {link(value["items"])}.'
    return ''


def link(schema):
    """A reference to the section of a document."""
    name = schema['$ref'].rpartition('/')[2]
    return f'`{name} <document-{name}_>`__'  # a noun and its document may have one name


def resolved(document, said):
    """What a reference means."""
    if '$ref' not in said:
        return said
    return document['components']['responses'][said['$ref'].rpartition('/')[2]]


def kind(schema):
    """The type and the limits of a value, in few words."""
    types = schema.get('type', 'any')
    words = [' or '.join(types) if isinstance(types, list) else types]
    words += [
        f'{word} {schema[key]}'
        for key, word in (
            ('format', 'format'),
            ('minimum', 'from'),
            ('maximum', 'to'),
            ('minLength', 'at least'),
            ('maxLength', 'at most'),
            ('default', 'default'),
        )
        if key in schema and schema[key] not in ({}, [])
    ]
    if 'enum' in schema:
        words.append('one of ' + ', '.join(str(word) for word in schema['enum'] if word))
    return ', '.join(words)


def since(said):
    """From which microversion on, if not always."""
    return f'Since {said["x-min-version"]}. ' if 'x-min-version' in said else ''


def table(first, rows):
    """A table of names, kinds and sentences; nothing without rows."""
    if not rows:
        return
    yield from [
        '.. list-table::',
        '   :widths: 25 30 45',
        '   :header-rows: 1',
        '',
        f'   * - {first}',
        '     - kind',
        '     - what it is',
    ]
    for name, what, sentence in rows:
        yield from [f'   * - ``{name}``', f'     - {text(what)}', f'     - {text(sentence)}']
    yield ''


def title(words, line):
    """A heading."""
    yield from ['', words, line * len(words), '']


def text(markdown):
    """Markdown's words of code as reStructuredText has them, and nothing else as markup."""
    parts = markdown.replace('\\', '\\\\').replace('*', '\\*').replace('|', '\\|').split('`')
    return ''.join(
        f'``{part}``' if number % 2 else part.replace('_ ', '\\_ ')
        for number, part in enumerate(parts)
    ).strip()


def setup(app):
    """Make the directive known."""
    app.add_directive('openapi', OpenApi)
    return {'parallel_read_safe': True}
