"""Tables, migrations and all SQL of the service."""
