"""Reads XML strictly: whatever is not asked for by name is refused by name.

A dictionary that is understood in part decodes wrong values with a straight
face, so nothing is skipped: an element or attribute that the reader does not
know stops the import, with its line. What the schema of XTCE 1.2 demands of a
document (order, number, content) is demanded here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final, TypeVar

from lxml import etree

XTCE_NAMESPACE: Final = "http://www.omg.org/spec/XTCE/20180204"  # version 1.2
MAX_DOCUMENT_OCTETS: Final = 64 * 1024 * 1024
_SCHEMA_LOCATION: Final = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}")
_REAL: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?INF|NaN")
_NAME: Final = re.compile(r"[^./:\[\] \t\n\r]+")

_T = TypeVar("_T")


class XtceError(ValueError):
    """The document is not XTCE 1.2, contradicts itself, or uses an unsupported part.

    Attributes:
        line: Line in the document, from 1; 0 where there is none.
    """

    def __init__(self, message: str, *, line: int = 0) -> None:
        self.line = line
        super().__init__(f"line {line}: {message}" if line else message)


class Node:
    """One element, read by naming what it may hold.

    Args:
        element: The element.
        attributes: Attributes that it may have.
        children: Child elements that it may have, in the order of the schema: each at
            most once, those of a tuple in any order and number.
        text: It holds text, and no elements.

    Raises:
        XtceError: On construction, an attribute or child that was not named, or
            that is out of order; later, a value that is missing or malformed.
    """

    def __init__(
        self,
        element: etree._Element,
        *,
        attributes: Collection[str] = (),
        children: Sequence[str | tuple[str, ...]] = (),
        text: bool = False,
    ) -> None:
        self._element = element
        self.name = local_name(element)
        self.line = line_of(element)
        self._refuse_attributes(attributes)
        self._check_children(children)
        if not text:
            self._refuse_text()

    def _refuse_attributes(self, known: Collection[str]) -> None:
        for attribute in self._element.attrib:
            name = str(attribute)
            if name not in known and name != _SCHEMA_LOCATION:
                raise self.error(f"the attribute {name!r} of <{self.name}> is not supported")

    def _check_children(self, order: Sequence[str | tuple[str, ...]]) -> None:
        places = {
            name: (place, isinstance(group, tuple))
            for place, group in enumerate(order)
            for name in (group if isinstance(group, tuple) else (group,))
        }
        before, name_before = -1, ""
        for child in _elements(self._element):
            name, line = local_name(child), line_of(child)
            if name not in places:
                raise XtceError(f"<{name}> in <{self.name}> is not supported", line=line)
            place, may_repeat = places[name]
            if place < before:
                raise XtceError(
                    f"<{name}> in <{self.name}> must stand before <{name_before}>", line=line
                )
            if place == before and not may_repeat:
                raise XtceError(
                    f"<{self.name}> has more than one <{name}>; the limit is 1", line=line
                )
            before, name_before = place, name

    def _refuse_text(self) -> None:
        pieces = [self._element.text, *(child.tail for child in self._element)]
        stray = " ".join("".join(piece or "" for piece in pieces).split())
        if stray:
            raise self.error(f"<{self.name}> holds the text {stray[:40]!r}; it has no place there")

    def error(self, message: str) -> XtceError:
        return XtceError(message, line=self.line)

    def children(self, name: str | None = None) -> Iterator[etree._Element]:
        """Yield the child elements, or those called *name*, in document order."""
        for child in _elements(self._element):
            if name is None or local_name(child) == name:
                yield child

    def some_children(self, name: str | None = None) -> list[etree._Element]:
        """Return the child elements like :meth:`children`; at least one must be there."""
        found = list(self.children(name))
        if not found:
            raise self.error(f"<{self.name}> is empty" if name is None else f"no <{name}> in it")
        return found

    def child(self, name: str) -> etree._Element | None:
        """Return the only child called *name*, or ``None``."""
        return next(self.children(name), None)

    def needed(self, name: str) -> etree._Element:
        """Return the only child called *name*, which must be there."""
        found = self.child(name)
        if found is None:
            raise self.error(f"<{self.name}> has no <{name}>")
        return found

    def one_of(self, names: Collection[str]) -> etree._Element:
        """Return the only child among *names*; exactly one must be there."""
        found = [child for child in self.children() if local_name(child) in names]
        if len(found) != 1:
            raise self.error(
                f"<{self.name}> has {len(found)} of {', '.join(names)}; it needs exactly 1"
            )
        return found[0]

    def text(self) -> str:
        return " ".join((self._element.text or "").split())

    def get(self, attribute: str, default: str | None = None) -> str:
        value = self._element.get(attribute, default)
        if value is None:
            raise self.error(f"<{self.name}> has no attribute {attribute!r}")
        return str(value)

    def own_name(self, attribute: str = "name") -> str:
        """Return the name that the element defines, in which no separator may stand."""
        name = " ".join(self.get(attribute).split(" ")).strip("\t\n\r")
        if not _NAME.fullmatch(name):
            raise self.error(
                f"{attribute}={name!r} of <{self.name}> is no name: one character at least,"
                " and none of . / : [ ] or a space"
            )
        return name

    def optional(self, attribute: str, parse: Callable[[str], _T]) -> _T | None:
        """Return the parsed *attribute*, or ``None`` where it is absent."""
        value = self._element.get(attribute)
        return None if value is None else self.parse(attribute, str(value), parse)

    def integer(self, attribute: str, default: int | None = None) -> int:
        fallback = None if default is None else str(default)
        return self.parse(attribute, self.get(attribute, fallback), whole_number)

    def number(self, attribute: str, default: float | None = None) -> float:
        fallback = None if default is None else str(default)
        return self.parse(attribute, self.get(attribute, fallback), real_number)

    def boolean(self, attribute: str, *, default: bool) -> bool:
        value = self.get(attribute, "true" if default else "false").strip()
        if value not in {"true", "false", "1", "0"}:
            raise self.error(f"{attribute}={value!r} of <{self.name}> is neither true nor false")
        return value in {"true", "1"}

    def choice(self, attribute: str, values: Collection[str], default: str | None = None) -> str:
        """Return *attribute*, which must be one of *values*."""
        value = self.get(attribute, default)
        if value not in values:
            raise self.error(
                f"{attribute}={value!r} of <{self.name}> is not supported;"
                f" supported: {', '.join(values)}"
            )
        return value

    def parse(self, what: str, value: str, parse: Callable[[str], _T]) -> _T:
        try:
            return parse(value.strip())
        except ValueError as error:
            raise self.error(f"{what}={value!r} of <{self.name}>: {error}") from error


def whole_number(text: str) -> int:
    """Return an xs:long.

    Raises:
        ValueError: It is none.
    """
    if not _WHOLE.fullmatch(text) or not -(1 << 63) <= (value := int(text)) < 1 << 63:
        raise ValueError("not a whole number of at most 64 bits")
    return value


def positive_number(text: str) -> int:
    """Return a whole number from 1."""
    if (value := whole_number(text)) < 1:
        raise ValueError(f"{value} is below 1")
    return value


def whole_number_from_0(text: str) -> int:
    """Return a whole number from 0."""
    if (value := whole_number(text)) < 0:
        raise ValueError(f"{value} is below 0")
    return value


def real_number(text: str) -> float:
    """Return an xs:double.

    Raises:
        ValueError: It is none.
    """
    if not _REAL.fullmatch(text):
        raise ValueError("not a number")
    return float(text)


def read_root(xml: bytes) -> etree._Element:
    """Parse a document without entities, document type or network.

    Raises:
        XtceError: Too large, not well-formed, or it carries a document type
            declaration (which could define entities), or the root is no
            XTCE 1.2 SpaceSystem.
    """
    if len(xml) > MAX_DOCUMENT_OCTETS:
        raise XtceError(
            f"the document has {len(xml)} octets; the limit is {MAX_DOCUMENT_OCTETS}. Split it"
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise XtceError(f"not well-formed XML: {error.msg}", line=error.lineno or 0) from error
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise XtceError("a document type declaration is not allowed; remove it")
    if local_name(root) != "SpaceSystem":
        raise XtceError(f"the root is <{local_name(root)}>, not <SpaceSystem>", line=1)
    return root


def line_of(element: Any) -> int:
    """Return the element's line in the document, from 1."""
    return int(element.sourceline or 0)


def local_name(element: etree._Element) -> str:
    """Return the name without its name space, which must be that of XTCE 1.2."""
    name = etree.QName(element)
    if name.namespace != XTCE_NAMESPACE:
        raise XtceError(
            f"<{name.localname}> is in the name space {name.namespace!r},"
            f" not in that of XTCE 1.2, {XTCE_NAMESPACE!r}",
            line=line_of(element),
        )
    return str(name.localname)


def _elements(element: etree._Element) -> Iterator[etree._Element]:
    """Yield child elements; comments and processing instructions say nothing."""
    for child in element:
        if isinstance(child.tag, str):
            yield child
