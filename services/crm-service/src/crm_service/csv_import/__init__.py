"""Importing records from CSV (RFC 4180), all or nothing: one mechanism for accounts, contacts and potentials."""

from crm_service.csv_import.kinds import Kind as Kind
from crm_service.csv_import.pages import add_pages as add_pages
from crm_service.csv_import.report import Row as Row
from crm_service.csv_import.report import RowErrors as RowErrors
from crm_service.csv_import.routes import add_route as add_route
