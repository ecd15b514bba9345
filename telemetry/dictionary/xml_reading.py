"""Reads XML strictly: whatever is not asked for by name is refused by name.

A dictionary that is understood in part decodes wrong values with a straight
face, so nothing is skipped: an element or attribute that the reader does not
know stops the import, with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, TypeVar

from lxml import etree

XTCE_NAMESPACE: Final = "http://www.omg.org/spec/XTCE/20180204"  # version 1.2
_SCHEMA_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"

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

    Raises:
        XtceError: On construction, an attribute or child that was not named;
            later, a value that is missing or malformed.
    """

    def __init__(
        self,
        element: etree._Element,
        *,
        attributes: Collection[str] = (),
        children: Collection[str] = (),
    ) -> None:
        self._element = element
        self.name = local_name(element)
        self.line = line_of(element)
        self._refuse_attributes(attributes)
        self._refuse_children(children)

    def _refuse_attributes(self, known: Collection[str]) -> None:
        for attribute in self._element.attrib:
            name = str(attribute)
            if name not in known and not name.startswith(_SCHEMA_INSTANCE):
                raise self.error(f"the attribute {name!r} of <{self.name}> is not supported")

    def _refuse_children(self, known: Collection[str]) -> None:
        for child in _elements(self._element):
            if local_name(child) not in known:
                raise XtceError(
                    f"<{local_name(child)}> in <{self.name}> is not supported",
                    line=line_of(child),
                )

    def error(self, message: str) -> XtceError:
        return XtceError(message, line=self.line)

    def children(self, name: str | None = None) -> Iterator[etree._Element]:
        """Yield the child elements, or those called *name*, in document order."""
        for child in _elements(self._element):
            if name is None or local_name(child) == name:
                yield child

    def child(self, name: str) -> etree._Element | None:
        """Return the only child called *name*, or ``None``."""
        found = list(self.children(name))
        if len(found) > 1:
            raise XtceError(
                f"<{self.name}> has {len(found)} <{name}>; the limit is 1",
                line=line_of(found[1]),
            )
        return found[0] if found else None

    def needed(self, name: str) -> etree._Element:
        """Return the only child called *name*, which must be there."""
        found = self.child(name)
        if found is None:
            raise self.error(f"<{self.name}> has no <{name}>")
        return found

    def text(self) -> str:
        return " ".join((self._element.text or "").split())

    def get(self, attribute: str, default: str | None = None) -> str:
        value = self._element.get(attribute, default)
        if value is None:
            raise self.error(f"<{self.name}> has no attribute {attribute!r}")
        return str(value)

    def optional(self, attribute: str, parse: Callable[[str], _T]) -> _T | None:
        """Return the parsed *attribute*, or ``None`` where it is absent."""
        value = self._element.get(attribute)
        return None if value is None else self.parse(attribute, str(value), parse)

    def integer(self, attribute: str, default: int | None = None) -> int:
        fallback = None if default is None else str(default)
        return self.parse(attribute, self.get(attribute, fallback), int)

    def number(self, attribute: str, default: float | None = None) -> float:
        fallback = None if default is None else str(default)
        return self.parse(attribute, self.get(attribute, fallback), float)

    def boolean(self, attribute: str, *, default: bool) -> bool:
        value = self.get(attribute, "true" if default else "false")
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


def read_root(xml: bytes) -> etree._Element:
    """Parse a document without entities, document type or network.

    Raises:
        XtceError: Not well-formed, or it carries a document type declaration
            (which could define entities), or the root is no XTCE 1.2
            SpaceSystem.
    """
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
