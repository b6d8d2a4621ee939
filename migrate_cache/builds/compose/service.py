"""The build of one service of a compose file."""

from __future__ import annotations

from dataclasses import dataclass, field

from yaml.nodes import MappingNode, Node, ScalarNode

from migrate_cache.builds.compose.interpolate import Env, InterpolationError, interpolate
from migrate_cache.builds.model import Draft, resolve_path
from migrate_cache.builds.sources import MAX_TEXT
from migrate_cache.builds.yaml import Document, is_null, rendered


@dataclass(slots=True)
class ComposeService:
    """What one or several declarations of a service say about its build."""

    origin: str
    line: int
    folder: str
    builds: bool = False
    draft: Draft = field(default_factory=Draft)
    platform: str | None = None
    replaces: set[str] = field(default_factory=set)
    """The fields that are tagged ``!reset`` or ``!override``."""

    @property
    def only_adds(self) -> bool:
        """Whether its build does not say what is built, only how."""
        return self.builds and self.draft.fields.keys().isdisjoint({"context", "inline"})

    def overlaid(self, over: ComposeService) -> ComposeService:
        """Return this service with `over` laid on top of it."""
        old = Draft() if "build" in over.replaces else self.draft
        draft = old.overlaid(over.draft, over.replaces)
        if old.platforms and over.draft.platforms is not None and "platforms" not in over.replaces:
            draft.platforms = list(dict.fromkeys([*old.platforms, *over.draft.platforms]))
        here = over if over.builds or not self.builds else self
        return ComposeService(
            origin=here.origin,
            line=here.line,
            folder=self.folder if self.builds else over.folder,
            builds=over.builds or (self.builds and "build" not in over.replaces),
            draft=draft,
            platform=over.platform if over.platform is not None else self.platform,
        )


class ServiceReader:
    """Turns nodes into services, with the variables of their project."""

    def __init__(self, env: Env) -> None:
        self._env = env

    def build(self, document: Document, node: Node, own: ComposeService) -> None:
        """Set in `own` what its ``build`` says."""
        if node.tag in {"!reset", "!override"}:
            own.replaces.add("build")
        if is_null(node) or node.tag == "!reset":
            return
        own.builds = isinstance(node, ScalarNode | MappingNode)
        if isinstance(node, ScalarNode):
            self._set_context(document, node, own)
            return
        for name, (_, value) in document.mapping(node, "build").items():
            if value.tag in {"!reset", "!override"}:
                own.replaces.add(name)
            if not is_null(value) and value.tag != "!reset":
                self._set_field(document, name, value, own)

    def _set_field(self, document: Document, name: str, value: Node, own: ComposeService) -> None:
        if name == "context":
            self._set_context(document, value, own)
        elif name in {"dockerfile", "target"}:
            own.draft.fields[name] = self.text(document, value, name)
        elif name == "dockerfile_inline":
            own.draft.fields["inline"] = ""
        elif name == "args":
            own.draft.args = self._args(document, value)
        elif name == "platforms":
            items = document.sequence(value, "platforms")
            texts = [self.text(document, item, "a platform") or "" for item in items]
            own.draft.platforms = list(dict.fromkeys([*(own.draft.platforms or []), *texts]))
        elif name == "x-bake":
            entries = document.mapping(value, name)
            if "platforms" in entries:
                self._set_field(document, "platforms", entries["platforms"][1], own)

    def _set_context(self, document: Document, node: Node, own: ComposeService) -> None:
        text = self.text(document, node, "context")
        own.draft.fields["context"] = resolve_path(own.folder, text)

    def _args(self, document: Document, node: Node) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        if isinstance(node, MappingNode):
            for name, (_, value) in document.mapping(node, "args").items():
                document.budget.spend(1)
                found[name] = self.text(document, value, f"the argument {name!r}")
            return found
        for item in document.sequence(node, "args"):
            scalar = document.text(item, "an argument")
            if scalar is not None:
                name, equals, _ = scalar.value.partition("=")
                text = self.text(document, item, "an argument") if equals else None
                found[name] = None if text is None else text.partition("=")[2]
        return found

    def text(self, document: Document, node: Node | None, what: str) -> str | None:
        """Return the text of `node` as compose understands it; None where it is unknown."""
        scalar = document.text(node, what)
        text = None if scalar is None else rendered(scalar)
        if scalar is None or text is None:
            return None
        if "$" not in text:
            return text if len(text) <= MAX_TEXT else None
        try:
            result = interpolate(text, self._env)
        except InterpolationError as error:
            document.warn(scalar, f"{what} cannot be read: {error}")
            return None
        document.budget.spend(1 + len(result or "") // 64)
        return result
