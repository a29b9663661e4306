"""Few at a time may make the service ask the cloud, and no project keeps the others out."""

import pytest

from magnum_lite.api.places import Places
from magnum_lite.exceptions import Unavailable


def test_a_project_leaves_places_to_others():
    places = Places(4, 'the place')
    for _ in range(2):  # what was taken comes back, also after an error
        with pytest.raises(ZeroDivisionError), places.one('ann'), places.one('ann'):
            with pytest.raises(Unavailable, match='the place does not answer'), places.one('ann'):
                pass
            with places.one('bob'), places.one('eve'):
                with pytest.raises(Unavailable), places.one('mia'):
                    pass
                raise ZeroDivisionError


def test_one_place_is_anybodys():
    places = Places(1, 'the place')
    for owner in ('ann', 'bob'):
        with places.one(owner), pytest.raises(Unavailable), places.one('eve'):
            pass
