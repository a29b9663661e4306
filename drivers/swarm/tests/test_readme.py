"""The table of labels in README.rst is that of the schema; ``--update-golden`` rewrites it."""

from pathlib import Path

from magnum_lite_swarm import config

README = Path(__file__).parent.parent / 'README.rst'
START, END = '.. table of labels\n', '.. end of table\n'


def table():
    """A list table: label, type, default, meaning."""
    lines = ['', '.. list-table::', '   :header-rows: 1', '   :widths: 22 12 18 48', '']
    rows = [('Label', 'Type', 'Default', 'Meaning')]
    for name, schema in config.PROPERTIES.items():
        kind = schema['type'] if 'enum' not in schema else ', '.join(schema['enum'])
        default = f'``{schema["default"]}``' if schema.get('default') not in (None, '') else ''
        rows.append((f'``{name}``', kind, default, schema['description'] + _condition(schema)))
    for row in rows:
        for index, cell in enumerate(row):
            lines += _wrapped(('   * - ' if index == 0 else '     - ') + cell)
    return '\n'.join(lines) + '\n\n'


def _condition(schema):
    return ''.join(
        f' Only with {name} {" or ".join(wanted)}.'
        if isinstance(wanted, list)
        else f' Only {"with" if wanted else "without"} {name}.'
        for name, wanted in schema.get('only_with', {}).items()
    )


def _wrapped(text, width=100):
    lines, line = [], text
    while len(line) > width:
        cut = line.rindex(' ', 0, width)
        lines.append(line[:cut])
        line = ' ' * 7 + line[cut + 1 :]
    return [*lines, line.rstrip()]


def test_the_readme_has_every_label(request):
    text = README.read_text()
    before, rest = text.split(START)
    _, after = rest.split(END)
    wanted = before + START + table() + END + after
    if request.config.getoption('--update-golden'):
        README.write_text(wanted)
    assert README.read_text() == wanted, 'run pytest --update-golden'
