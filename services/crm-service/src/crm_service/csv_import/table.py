"""Reading a CSV file: its text, its header, its cells. What is wrong with the file as a whole is one clear problem."""

import csv
import difflib
import io
from collections.abc import Collection, Iterator, Sequence

from servicekit.errors import Invalid, TooLarge

MOST_ROWS = 100_000


class CsvInvalid(Invalid):
    """The file cannot be read as the table that is asked for."""

    code = "csv_invalid"


class CsvHeaderInvalid(CsvInvalid):
    """The first line does not name the columns as it should."""

    code = "csv_header_invalid"


class Table:
    """A CSV file: UTF-8 with or without BOM; comma, or semicolon where the header has no comma.

    ``columns``: those that may come; ``required``: those that must. Raises `CsvInvalid`, saying what and where;
    `CsvHeaderInvalid`; `TooLarge` for more than 100,000 rows.
    """

    def __init__(self, body: bytes, *, columns: Collection[str], required: Collection[str]) -> None:
        if body.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise CsvInvalid("the file is encoded in UTF-16; save it as UTF-8")
        self._body = body
        first_line = body.partition(b"\n")[0]
        self._delimiter = ";" if b";" in first_line and b"," not in first_line else ","
        lines = self._lines()
        if (first := next(lines, None)) is None:
            raise CsvInvalid(f"the file is empty; its first line must name columns, such as {', '.join(required)}")
        self.header = _check_header([name.strip() for name in first[1]], columns, required)
        self.count = sum(1 for _ in lines)
        if self.count > MOST_ROWS:
            raise TooLarge(
                f"the file has {self.count:,} rows; {MOST_ROWS:,} can be imported at once: split it",
                code="csv_too_many_rows",
                rows=self.count,
                limit_rows=MOST_ROWS,
            )

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row's first line (the header is line 1) and its cells; empty lines are left out."""
        lines = self._lines()
        next(lines)
        return lines

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        # Decoded as it is read: the whole text at once can take eight times the room of the file.
        text = io.TextIOWrapper(io.BytesIO(self._body), "utf-8-sig", newline="")
        reader = csv.reader(text, delimiter=self._delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except UnicodeDecodeError:
            raise _not_utf8(self._body) from None
        except csv.Error as error:
            raise CsvInvalid(f"line {line}: {error}; is a quotation mark missing or not doubled?", line=line) from None


def _not_utf8(body: bytes) -> CsvInvalid:
    """The refusal of a file that is not UTF-8, which says where."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        start = error.start
    line = body.count(b"\n", 0, start) + 1
    byte_in_line = start - body.rfind(b"\n", 0, start)
    return CsvInvalid(
        f"line {line}, byte {byte_in_line} (byte {start + 1} of the file): 0x{body[start]:02X} is not UTF-8; "
        "save the file as UTF-8",
        line=line,
        byte=start + 1,
    )


def _check_header(names: Sequence[str], columns: Collection[str], required: Collection[str]) -> Sequence[str]:
    faults = []
    for position, name in enumerate(names, 1):
        if not name:
            faults.append(("", f"column {position} has no name"))
        elif name in names[: position - 1]:
            faults.append((name, f"column {name!r} is there twice"))
        elif name not in columns:
            near = difflib.get_close_matches(name, columns, n=1, cutoff=0.75)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(columns)}"
            faults.append((name, f"unknown column {name!r}; {hint}"))
    faults += [(name, f"column {name!r} is missing") for name in required if name not in names]
    if faults:
        raise CsvHeaderInvalid(
            f"the header (line 1): {'; '.join(message for _, message in faults[:5])}",
            errors=[{"row": 1, "field": name, "message": message} for name, message in faults[:100]],
        )
    return names
