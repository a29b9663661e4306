"""Container clusters as a service for OpenStack clouds that have Heat."""

import warnings

# Libraries import eventlet, which nothing of ours uses; an operator cannot do anything about it.
# Here, since every process of ours comes by before it imports them.
warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')
