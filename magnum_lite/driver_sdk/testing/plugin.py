"""What the kit gives pytest: the option ``--update-golden`` and the fixture ``golden``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from magnum_lite.driver_sdk.testing import golden as files

# A rule that is broken shows the values that it compared, also where the service is installed from
# a checkout; pytest does it by itself for wheels only.
pytest.register_assert_rewrite(
    *(
        f'magnum_lite.driver_sdk.testing.{name}_rules'
        for name in ('bound', 'cloud', 'plan', 'script')
    )
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the option, unless another part of the same run did."""
    try:
        parser.addoption('--update-golden', action='store_true', help='rewrite the golden files')
    except ValueError:
        return


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, Mapping[str, Any]], None]:
    """``golden(name, document)`` compares with ``golden/<name>.json`` beside the test module."""
    where = Path(str(request.path)).parent / 'golden'
    update = bool(request.config.getoption('--update-golden'))

    def compare(name: str, document: Mapping[str, Any]) -> None:
        files.check(where / f'{name}.json', document, update=update)

    return compare
