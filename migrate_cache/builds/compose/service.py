"""One service of a compose file, as far as its build is concerned."""

from __future__ import annotations

from dataclasses import dataclass, field

from migrate_cache.builds import yaml
from migrate_cache.builds.compose.interpolate import Env, InterpolationError, interpolate
from migrate_cache.builds.model import MAX_TEXT, Spec, inside


@dataclass(slots=True)
class Service:
    """What one or several declarations of a service say about its build."""

    origin: str
    line: int
    folder: str
    builds: bool = False
    spec: Spec = field(default_factory=Spec)
    platform: str | None = None
    replaces: set[str] = field(default_factory=set)

    def under(self, over: Service) -> Service:
        """Return this service with `over` laid on top of it."""
        spec = Spec() if "build" in over.replaces else self.spec.copy()
        if "args" in over.replaces:
            spec.args.clear()
        for name in over.replaces:
            spec.fields.pop(name, None)
        for name, value in over.spec.fields.items():
            spec.put(name, value)
        spec.args.update(over.spec.args)
        if over.spec.platforms is not None:
            kept = [] if "platforms" in over.replaces else spec.platforms or []
            spec.platforms = list(dict.fromkeys([*kept, *over.spec.platforms]))
        here = over if over.builds or not self.builds else self
        return Service(
            origin=here.origin,
            line=here.line,
            folder=self.folder if self.builds else over.folder,
            builds=over.builds or (self.builds and "build" not in over.replaces),
            spec=spec,
            platform=over.platform if over.platform is not None else self.platform,
        )


class ServiceReader:
    """Turns nodes into services with the variables that hold in their project."""

    def __init__(self, env: Env) -> None:
        self._env = env

    def build(self, document: yaml.Document, node: yaml.Node, own: Service) -> None:
        """Put into `own` what its ``build`` says."""
        if node.tag in {"!reset", "!override"}:
            own.replaces.add("build")
        if yaml.is_null(node) or node.tag == "!reset":
            return
        own.builds = True
        if isinstance(node, yaml.Scalar):
            self._put_context(document, node, own)
            return
        entries = document.mapping(node, "build")
        own.builds = isinstance(node, yaml.Mapping)
        for name, (_, value) in entries.items():
            if value.tag in {"!reset", "!override"}:
                own.replaces.add(name)
            if not yaml.is_null(value) and value.tag != "!reset":
                self._field(document, name, value, own)

    def _field(self, document: yaml.Document, name: str, value: yaml.Node, own: Service) -> None:
        if name == "context":
            self._put_context(document, value, own)
        elif name in {"dockerfile", "target"}:
            own.spec.put(name, self.text(document, value, name))
        elif name == "dockerfile_inline":
            own.spec.put("inline", "")
        elif name == "args":
            own.spec.args = self._args(document, value)
        elif name in {"platforms", "x-bake"}:
            entry = document.mapping(value, name).get("platforms") if name == "x-bake" else None
            if name == "platforms" or entry is not None:
                items = document.sequence(entry[1] if entry else value, "platforms")
                texts = [self.text(document, item, "a platform") or "" for item in items]
                own.spec.platforms = list(dict.fromkeys([*(own.spec.platforms or []), *texts]))

    def _put_context(self, document: yaml.Document, node: yaml.Node, own: Service) -> None:
        text = self.text(document, node, "context")
        own.spec.put("context", inside(own.folder, text))

    def _args(self, document: yaml.Document, node: yaml.Node) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        if isinstance(node, yaml.Mapping):
            for name, (_, value) in document.mapping(node, "args").items():
                document.budget.spend(1)
                found[name] = self.text(document, value, f"the argument {name!r}")
            return found
        for item in document.sequence(node, "args"):
            scalar = document.text(item, "an argument")
            if scalar is not None:
                name, equals, _ = scalar.text.partition("=")
                text = self.text(document, item, "an argument") if equals else None
                found[name] = None if text is None else text.partition("=")[2]
        return found

    def text(self, document: yaml.Document, node: yaml.Node | None, what: str) -> str | None:
        """Return the text of `node` as compose understands it; None where it is not known."""
        scalar = document.text(node, what)
        if scalar is None:
            return None
        text = yaml.rendered(scalar)
        if text is None or "$" not in text:
            return text if text is None or len(text) <= MAX_TEXT else None
        try:
            result = interpolate(text, self._env)
        except InterpolationError as error:
            document.warn(scalar, f"{what} cannot be read: {error}")
            return None
        document.budget.spend(1 + len(result or "") // 64)
        return result
