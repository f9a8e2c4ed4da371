"""Templates: Jinja2, everything escaped, a name that is not there is an error."""

from functools import cache
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from servicekit.pages.assets import OWN, assets_of, package_folder
from servicekit.pages.forms import words


@cache
def templates_of(package: str) -> Environment:
    """The templates of ``package``: ``accounts/list.html`` is that file in the folder ``accounts/templates``.

    Names without a folder are those that all products share, next to this module, and ``ui`` is its macros.
    """
    folders = {file.parent.name: FileSystemLoader(file) for file in package_folder(package).glob("*/templates")}
    environment = Environment(
        loader=ChoiceLoader([PrefixLoader(folders), FileSystemLoader(OWN.parent / "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["asset"] = assets_of(package).path
    environment.globals["attributes"] = _attributes
    environment.filters["lines"] = _lines
    environment.filters["sentence"] = _sentence
    environment.filters["words"] = words
    environment.globals["ui"] = environment.get_template("ui.html").module
    return environment


@cache
def compile_templates(package: str) -> None:
    """Compile all templates of ``package`` now, which takes a quarter of a second: whoever asks for a page first would
    wait for it."""
    environment = templates_of(package)
    for name in environment.list_templates():
        environment.get_template(name)


def _attributes(**values: Any) -> Markup:
    """Attributes of an element, with a space before each: ``aria_invalid`` is aria-invalid, True is one without a
    value, False and None are left out. No macro, which takes longer: a long form has more than a thousand fields."""
    written = []
    for name, value in values.items():
        if value is not None and value is not False:
            text = "" if value is True else f'="{escape(value)}"'
            written.append(f" {name.replace('_', '-')}{text}")
    return Markup("".join(written))  # noqa: S704 (values are escaped, names stand in templates)


def _sentence(text: str) -> str:
    """A text of a service, or the name of a state, as a sentence begins: ``partially_paid`` is Partially paid."""
    spaced = text.replace("_", " ") if text.isidentifier() else text
    return spaced[:1].upper() + spaced[1:]


def _lines(text: Any) -> Markup:
    """A text with its line breaks."""
    return Markup("<br>").join(str(text).splitlines())
