"""Sphinx configuration."""

import sys
from importlib.metadata import version as distribution_version
from pathlib import Path

# The directive of the API reference is beside this file.
sys.path.insert(0, str(Path(__file__).parent))

project = 'magnum_lite'
copyright = 'the magnum_lite contributors'
version = release = distribution_version('magnum-lite')

extensions = [
    'openapi_page',
    'oslo_config.sphinxext',
    'oslo_policy.sphinxext',
    'reno.sphinxext',
    'sphinx.ext.autodoc',
]
exclude_patterns = ['_build']
nitpicky = False
html_theme = 'alabaster'
autodoc_typehints = 'description'
