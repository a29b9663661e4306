"""A driver without Heat keeps the contract."""

import pytest

from magnum_lite.driver_sdk.testing.contract import DriverContract
from tests.engine.files import FailingFiles, Files
from tests.engine.tiny_files import TinyFiles


class TestTinyFiles(DriverContract):
    """Every rule of ``drivers/README.rst``."""

    driver = TinyFiles

    def package_files(self):
        """It has none but Python."""
        return {}

    def failing(self, cloud, *, at=0, after=False):
        """Files that may fail, which are their own record."""
        files = FailingFiles(cloud, at=at, after=after, counted=FailingFiles.changing)
        return files, files

    def part_names(self, cloud, spec):
        """By the files."""
        return sorted(file.name for file in cloud.list(spec.uuid))

    @pytest.fixture
    def real_cloud(self, tmp_path_factory):
        """Files of a project that nobody else has."""
        return Files(tmp_path_factory.mktemp('files'), 'p')

    @pytest.fixture
    def user_data(self, real_cloud):
        """What the nodes are given, by the names of the files."""
        return lambda: {file.name: file.text for file in real_cloud.list()}
