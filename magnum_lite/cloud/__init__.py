"""The OpenStack cloud as the service sees it: sessions, Heat, look-ups."""
