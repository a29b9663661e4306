"""The programs of the service: those of this environment, or of another release."""

import sys
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Programs:
    """The programs of an installation of the service.

    :ivar path: a folder of packages that go before those of this environment.
    """

    folder: Path = BIN
    path: Path | None = None

    def environ(self) -> dict[str, str]:
        """What the programs need in their environment."""
        return {'PYTHONPATH': str(self.path)} if self.path else {}


OURS = Programs()
