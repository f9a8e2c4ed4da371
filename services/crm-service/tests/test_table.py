"""Reading CSV, for any table."""

import csv
import io

from crm_service.csv_import.table import Table
from hypothesis import given
from hypothesis import strategies as st

cells = st.text(st.one_of(st.sampled_from(list(',;"\n\r \t')), st.characters(codec="utf-8", exclude_characters="\x00")))
rows_of_two = st.lists(st.tuples(cells, cells).filter(lambda row: row != ("", "")), max_size=20)


@given(rows_of_two, st.booleans(), st.sampled_from(["\n", "\r\n"]), st.sampled_from([",", ";"]))
def test_what_a_spreadsheet_writes_is_read_as_it_was(
    rows: list[tuple[str, str]], bom: bool, newline: str, delimiter: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=newline, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("name", "phone"), *rows])
    table = Table(text.getvalue().encode("utf-8-sig" if bom else "utf-8"), columns=["name", "phone"], required=["name"])
    assert [tuple(cells) for _, cells in table.rows()] == rows
    assert table.count == len(rows)


@given(rows_of_two)
def test_each_row_is_known_by_the_line_it_begins_at(rows: list[tuple[str, str]]) -> None:
    text, lines = "name,phone\n", []
    for row in rows:
        lines.append(len(io.StringIO(text, newline="").readlines()) + 1)
        written = io.StringIO(newline="")
        csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(row)
        text += written.getvalue()
    table = Table(text.encode(), columns=["name", "phone"], required=["name"])
    assert [line for line, _ in table.rows()] == lines
