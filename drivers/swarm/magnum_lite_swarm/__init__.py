"""Docker Swarm for magnum_lite."""
