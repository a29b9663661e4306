"""Sphinx configuration."""

from importlib.metadata import version as distribution_version

project = 'magnum_lite'
copyright = 'the magnum_lite contributors'
version = release = distribution_version('magnum-lite')

extensions = [
    'oslo_config.sphinxext',
    'oslo_policy.sphinxext',
    'reno.sphinxext',
    'sphinx.ext.autodoc',
]
exclude_patterns = ['_build']
nitpicky = False
html_theme = 'alabaster'
autodoc_typehints = 'description'
