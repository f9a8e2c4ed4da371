"""The base of this service's tables."""

from datetime import datetime

from servicekit.db import UtcDateTime
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012
