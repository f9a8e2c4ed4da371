"""Forms: what was typed, and what is wrong with it.

Guarantee: a form that is refused shows everything that was typed as it was typed, and each reason at its field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from servicekit.errors import NOT_A_NUMBER, Problem, from_validation
from servicekit.pages.formats import Formats

S = TypeVar("S", bound=BaseModel)

VERSION = "version"
_NOT_OURS = frozenset({"csrf_token", "form_key", VERSION})
_LONGEST_NAME = 200
_IN_A_LIST = re.compile(r"(\w+)\.([0-9]{1,4})(?:\.|$)")
_NAMES_ITSELF = ("", "name", "description")
"""Fields of a row that need no word before them."""


@dataclass(frozen=True)
class Conflict:
    """What two people made different, a field or a row of a list: as this one typed it, and as it is saved by now."""

    name: str
    mine: str
    saved: str


@dataclass(frozen=True)
class Form:
    """Fields by their names, nested ones with points: ``billing_address.city``, ``line_items.0.rate``.

    ``version``: of the record, as it was when the form was opened. ``errors``: field → reason. ``problem``: why all of
    it was refused. ``conflicts``: where a stale edit differs from what is saved.
    Numbers are as the API writes them, whatever the person's locale: pages read and show them (see `written_for`).
    """

    typed: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None
    conflicts: Sequence[Conflict] = ()
    files: Mapping[str, UploadFile] = field(default_factory=dict)
    numbers: frozenset[str] = frozenset()
    formats: Formats | None = None

    @classmethod
    def of(cls, record: BaseModel | Mapping[str, Any], version: int | None = None) -> "Form":
        """A form that shows a record as it is."""
        values = record.model_dump(mode="json") if isinstance(record, BaseModel) else record
        return cls(dict(_flat(values)), version)

    @classmethod
    def sent(cls, data: FormData) -> "Form":
        """The form that a browser sent; of several values of one name the last one counts (see the check box)."""
        typed = {name: value.replace("\r\n", "\n") for name, value in data.multi_items() if isinstance(value, str)}
        files = {name: value for name, value in data.multi_items() if isinstance(value, UploadFile) and value.filename}
        version = typed.get(VERSION, "")
        fields = {name: value for name, value in typed.items() if name not in _NOT_OURS and len(name) <= _LONGEST_NAME}
        return cls(
            dict(_flat(_nested(fields))),  # rows are numbered without gaps, as the refusal will number them
            int(version) if re.fullmatch(r"[0-9]{1,9}", version) else None,
            files=files,
        )

    def __getitem__(self, name: str) -> str:
        """What stands in a field; empty if nothing does."""
        return self.typed.get(name, "")

    def written_for(self, formats: Formats, numbers: frozenset[str]) -> "Form":
        """The same form, to be shown to a person: fields with these names are numbers as they write them."""
        return replace(self, formats=formats, numbers=numbers)

    def shown(self, name: str, text: str | None = None) -> str:
        """What stands in a field, or ``text`` of that field, as this person writes it."""
        plain = self[name] if text is None else text
        return self.formats.in_a_field(plain) if self.formats and name.rpartition(".")[2] in self.numbers else plain

    def rows(self, name: str) -> int:
        """How many rows a list of fields has: ``line_items.0.rate``, ``line_items.1.rate`` are two."""
        begin = f"{name}."
        numbers = [each[len(begin) :].partition(".")[0] for each in self.typed if each.startswith(begin)]
        return max((int(number) + 1 for number in numbers if number.isdecimal() and len(number) < 5), default=0)

    def parse(self, schema: type[S]) -> S:
        """The fields as ``schema`` takes them. Raises `Invalid`, a reason for each field.

        An empty field is None where the schema takes None.
        """
        values = {
            name: None if not text.strip() and _takes_none(schema, name) else text for name, text in self.typed.items()
        }
        try:
            return schema.model_validate(_nested(values))
        except ValidationError as error:
            raise from_validation(error.errors()) from None

    def refused(self, problem: Problem) -> "Form":
        """The same form, saying why it was refused."""
        errors: dict[str, str] = {}
        for fault in problem.errors:
            message = str(fault["message"])
            if message == NOT_A_NUMBER and self.formats:
                message = f"must be a number, such as {self.formats.in_a_field('1.5')}"
            errors.setdefault(str(fault["field"]), _sentence(message))
        return replace(self, problem=problem, errors=errors)

    def against(self, record: BaseModel | Mapping[str, Any], version: int) -> "Form":
        """The same form beside the record as it is by now: sent again, it replaces that version.

        Rows of a list are shown as wholes, those too that only one of both has: saving again takes them out.
        """
        saved = replace(self, typed=Form.of(record).typed)
        lists = dict.fromkeys(found[1] for name in [*self.typed, *saved.typed] if (found := _IN_A_LIST.match(name)))
        differing = [
            Conflict(name, text, saved[name])
            for name, text in self.typed.items()
            if name in saved.typed and not _IN_A_LIST.match(name) and not self._alike(name, text, saved[name])
        ]
        for each in lists:
            differing += self._differing_rows(each, saved)
        return replace(self, version=version, conflicts=differing)

    def _differing_rows(self, name: str, saved: "Form") -> Iterator[Conflict]:
        """Rows are compared by what stands in them: one that is put before them does not change all the others."""
        mine, theirs = self._rows_in_words(name), saved._rows_in_words(name)
        for _, begin, end, their_begin, their_end in SequenceMatcher(None, mine, theirs).get_opcodes():
            both = zip_longest(mine[begin:end], theirs[their_begin:their_end])
            for number, (my_row, their_row) in enumerate(both):
                if my_row != their_row:
                    at = begin + number if my_row is not None else their_begin + number
                    yield Conflict(
                        f"{name}.{at}",
                        "Not in yours: saving again takes it out" if my_row is None else my_row,
                        "Not there" if their_row is None else their_row,
                    )

    def _rows_in_words(self, name: str) -> list[str]:
        """What a person sees in each row, one value after the other with what it is; ids say nothing to them."""
        rows: list[dict[str, str]] = [{} for _ in range(self.rows(name))]
        for field_name, text in self.typed.items():
            found = _IN_A_LIST.match(field_name)
            if found is None or found[1] != name or not text.strip():
                continue
            part = field_name[found.end() :]
            if part in _NAMES_ITSELF:
                rows[int(found[2])][part] = text
            elif part != "id" and not part.endswith("_id"):
                number = self.shown(field_name, self._plain(field_name, text))
                rows[int(found[2])][part] = f"{words(part).lower()} {number}"
        return [", ".join(row[part] for part in sorted(row, key=_first_what_names_it)) for row in rows]

    def _alike(self, name: str, one: str, other: str) -> bool:
        return self._plain(name, one) == self._plain(name, other)

    def _plain(self, name: str, text: str) -> str:
        """A number without zeros that say nothing, since 18 and 18.00 are the same; any other text as it is."""
        if name.rpartition(".")[2] not in self.numbers:
            return text
        try:
            number = Decimal(text)
        except InvalidOperation:
            return text
        return f"{number.normalize():f}" if number.is_finite() and abs(number.adjusted()) < 50 else text


def words(name: str) -> str:
    """A field's name as a person reads it: ``Billing address, zip``; rows count from one: ``Line item 1, rate``."""
    text = re.sub(r"(\w+?)s?\.([0-9]{1,4})(?=\.|$)", lambda found: f"{found[1]} {int(found[2]) + 1}", name)
    text = text.replace("_", " ").replace(".", ", ")
    return text[:1].upper() + text[1:]


def _first_what_names_it(part: str) -> tuple[int, str]:
    return (_NAMES_ITSELF.index(part) if part in _NAMES_ITSELF else len(_NAMES_ITSELF), part)


def _flat(values: Any, begin: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(values, Mapping):
        for name, value in values.items():
            yield from _flat(value, f"{begin}.{name}" if begin else str(name))
    elif isinstance(values, list):
        for number, value in enumerate(values):
            yield from _flat(value, f"{begin}.{number}")
    elif isinstance(values, bool):
        yield begin, "true" if values else "false"
    else:
        yield begin, "" if values is None else str(values)


def _nested(values: Mapping[str, Any]) -> Any:
    """Points made into objects, and objects whose names are all numbers into lists, in their order."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        node = tree
        *parents, last = name.split(".")
        for parent in parents:
            child = node.setdefault(parent, {})
            if not isinstance(child, dict):
                break
            node = child
        else:
            node[last] = value
    return {name: _listed(value) for name, value in tree.items()}


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    children = {name: _listed(value) for name, value in node.items()}
    if children and all(name.isdecimal() for name in children):
        return [children[name] for name in sorted(children, key=int)]
    return children


def _takes_none(schema: type[BaseModel], name: str) -> bool:
    annotation: Any = schema
    for part in name.split("."):
        models = [each for each in _parts(annotation) if isinstance(each, type) and issubclass(each, BaseModel)]
        if part.isdecimal():
            continue
        found = next((model.model_fields[part] for model in models if part in model.model_fields), None)
        if found is None:
            return False
        annotation = found.annotation
    return type(None) in get_args(annotation)


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
