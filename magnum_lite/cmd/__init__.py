"""The programs of the service."""

import warnings

# Libraries import eventlet, which nothing of ours uses; an operator cannot do anything about it.
warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')
