"""This service's routes: they translate, and leave the rest to the use cases."""

from sync_service.routes import connection, imports, records

ROUTERS = [imports.router, records.router, connection.router]
