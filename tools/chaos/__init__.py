"""A nemesis: the whole service in a world that fails, and a checker of every answer it gave."""
