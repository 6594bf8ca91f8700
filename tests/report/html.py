"""What a test asks of a page, without a browser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input", "source"}


@dataclass
class Outline(HTMLParser):
    """Reads a page; unbalanced tags are an error.

    Attributes:
        ids, links: of elements and of anchors. images: (alt, beginning of the source). videos: sources.
        headings: (level, words). addresses: every ``src`` and ``href``. words: all text.
    """

    ids: set = field(default_factory=set)
    links: list = field(default_factory=list)
    images: list = field(default_factory=list)
    videos: list = field(default_factory=list)
    headings: list = field(default_factory=list)
    addresses: list = field(default_factory=list)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.open_tags: list[str] = []

    @classmethod
    def of(cls, page: str) -> "Outline":
        """Reads a whole page."""
        outline = cls()
        outline.feed(page)
        outline.close()
        assert outline.open_tags == [], f"never closed: {outline.open_tags}"
        return outline

    def handle_starttag(self, tag: str, attributes: list) -> None:
        found = dict(attributes)
        if tag not in VOID:
            self.open_tags.append(tag)
        if "id" in found:
            assert found["id"] not in self.ids, f"two elements have the id {found['id']}"
            self.ids.add(found["id"])
        self.addresses += [found[name] for name in ("src", "href") if name in found]
        if tag == "a":
            self.links.append(found["href"])
        elif tag == "img":
            self.images.append((found.get("alt"), found["src"][:40]))
        elif tag == "video":
            self.videos.append(found["src"])
        elif tag in ("h1", "h2", "h3"):
            self.headings.append([int(tag[1]), ""])

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if "style" in self.open_tags:
            return
        self.words += data
        if self.open_tags and self.open_tags[-1] in ("h1", "h2", "h3"):
            self.headings[-1][1] += data
