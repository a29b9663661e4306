"""Options of logging, which are read while the files are parsed, before anything else can be asked:
where the wrong one stands is found in the files themselves."""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from oslo_config import cfg
from oslo_log import log


def wrong(error: Exception, argv: Sequence[str], config_files: Sequence[str] | None) -> str:
    """``file: [DEFAULT] name`` of the option whose value has the variable that an error is about.

    :param argv: of the program.
    :param config_files: as ``conf.load``.
    """
    variable = getattr(error, 'opt_name', None) or getattr(error, 'group_name', None) or ''
    used = re.compile(rf'\$\{{?{re.escape(variable)}')
    logging = cfg.ConfigOpts()
    log.register_options(logging)
    for path in _files(argv, config_files):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(str(path), sections).parse()
        for name, values in sections.get('DEFAULT', {}).items():
            if name in logging and any(map(used.search, values)):
                return f'{path}: [DEFAULT] {name}'
    return 'one of the options of logging'


def _files(argv: Sequence[str], config_files: Sequence[str] | None) -> Iterator[Path]:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ('--config-file', '--config-dir'):
        parser.add_argument(name, action='append', default=[])
    named, _ = parser.parse_known_args(list(argv))
    files = named.config_file or config_files
    yield from map(Path, cfg.find_config_files('magnum-lite') if files is None else files)
    for folder in named.config_dir:
        yield from sorted(Path(folder).glob('*.conf'))
