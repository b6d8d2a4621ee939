"""The rules by code: how severe they are, how they are chosen, and what is said about them.

The texts are data, in `migrate_cache.rules.rule_texts`. Everything that users read about a rule
(``--list-rules``, ``--explain``, SARIF's help, the README's table) is made from them.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from migrate_cache.rules.rule_texts import TEXTS, Kind, Rule
from migrate_cache.text.errors import ConfigError, nearest

__all__ = [
    "RULES",
    "Kind",
    "Rule",
    "caches_table",
    "explain",
    "explanation",
    "list_rules",
    "matches",
    "rules_table",
    "severity",
    "unknown_prefixes",
]

RULES: Mapping[str, Rule] = MappingProxyType({rule.code: rule for rule in TEXTS})

_WIDTH = 88
_CODE = re.compile("`[^`]*`")
# textwrap breaks at ASCII blanks only.
_BLANK = "\u00a0"


def severity(code: str) -> Kind:
    """Return the kind of the rule `code`."""
    return RULES[code].kind


def matches(code: str, prefixes: Iterable[str]) -> bool:
    """Tell whether one of `prefixes` (``MC101``, ``mc1``, ``ALL``) selects the rule `code`."""
    return any(
        prefix.upper() == "ALL" or (prefix and code.startswith(prefix.upper()))
        for prefix in prefixes
    )


def unknown_prefixes(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return those of `prefixes` that select no rule at all."""
    return tuple(
        prefix for prefix in prefixes if not any(matches(code, (prefix,)) for code in RULES)
    )


def list_rules(width: int = _WIDTH) -> str:
    """Return all rules as a table for a terminal."""
    name_width = max(len(rule.name) for rule in TEXTS)
    kind_width = max(len(rule.kind) for rule in TEXTS)
    lines = []
    for rule in TEXTS:
        head = f"{rule.code}  {rule.name:{name_width}}  {rule.kind:{kind_width}}  "
        room = max(30, width - len(head))
        lines.append(head + _fill(rule.summary, room).replace("\n", "\n" + " " * len(head)))
    return "\n".join(lines) + "\n\n`migrate-cache --explain CODE` says more.\n"


def explanation(rule: Rule) -> str:
    """Return a rule's explanation in paragraphs, with how to ignore it."""
    paragraphs = [" ".join(part.split()) for part in rule.explanation.strip().split("\n\n")]
    if rule.ignorable:
        paragraphs.append(
            f"To ignore it for one RUN, write `# migrate-cache: ignore[{rule.code}] why` above it "
            f"or between its lines; everywhere, use `--ignore {rule.code}`, or "
            f'`ignore = ["{rule.code}"]` in the configuration.'
        )
    return "\n\n".join(paragraphs)


def explain(code: str, width: int = _WIDTH) -> str:
    """Return what a rule does, why, with an example and its sources.

    `code` may be in lower case, and may be the rule's name. Raises ConfigError for one that
    is not known, with the nearest that is.
    """
    rule = _find(code)
    blocks = [
        f"{rule.code} {rule.name} ({rule.kind})",
        _fill(_sentence(rule.summary), width),
    ]
    blocks += (_filled(paragraph, width) for paragraph in explanation(rule).split("\n\n"))
    if rule.before:
        blocks.append(_example(rule))
    if rule.sources:
        blocks.append("Sources:\n" + "\n".join(f"  {source}" for source in rule.sources))
    return "\n\n".join(blocks) + "\n"


def rules_table() -> str:
    """Return all rules as a markdown table."""
    rows = [
        f"| {rule.code} | {rule.name} | {rule.kind} | {_cell(rule.summary)} |" for rule in TEXTS
    ]
    return "\n".join(["| code | name | kind | what |", "|---|---|---|---|", *rows]) + "\n"


def caches_table() -> str:
    """Return the known caches as a markdown table."""
    from migrate_cache.caches.entry import load_catalog

    meaning = {
        "shared": "shared",
        "cargo-subdir": "shared, with Cargo's lock linked in",
        "output": "an id per service",
        "exclusive": "stays locked",
    }
    rows = [
        f"| {_cell(cache.name)} | {meaning.get(cache.kind, cache.kind)} | {_cell(cache.reason)} "
        f"| {cache.evidence} |"
        for cache in load_catalog().caches
    ]
    return "\n".join(["| cache | becomes | why | evidence |", "|---|---|---|---|", *rows]) + "\n"


def _find(code: str) -> Rule:
    wanted = code.strip()
    for rule in TEXTS:
        if wanted.upper() == rule.code or wanted.lower() == rule.name:
            return rule
    if wanted.upper().startswith("MC"):
        near = max(RULES, key=lambda code: _agreement(code, wanted.upper()))
    else:
        near = nearest(wanted.lower(), [rule.name for rule in TEXTS]) or ""
    hint = f"did you mean {near}? " if near else ""
    raise ConfigError(f"no such rule: {wanted!a}", hint=f"{hint}--list-rules lists all of them")


def _agreement(one: str, other: str) -> int:
    """Return how many characters the two begin with in common."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), len(other))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _fill(text: str, width: int) -> str:
    """Wrap `text`, but not inside of backquotes."""
    whole = _CODE.sub(lambda match: match[0].replace(" ", _BLANK), text)
    wrapped = textwrap.fill(whole, width, break_on_hyphens=False, break_long_words=False)
    return wrapped.replace(_BLANK, " ")


def _filled(paragraph: str, width: int) -> str:
    if not paragraph.startswith("* "):
        return _fill(paragraph, width)
    items = paragraph.removeprefix("* ").split(" * ")
    return "\n".join("  * " + _fill(item, width - 4).replace("\n", "\n    ") for item in items)


def _example(rule: Rule) -> str:
    if rule.before == rule.after:
        head = f"Example, {rule.example_path} (left as it is):"
        body = rule.before.rstrip("\n").split("\n")
    else:
        from difflib import ndiff

        head = f"Example, {rule.example_path}:"
        changed = ndiff(rule.before.splitlines(), rule.after.splitlines())
        body = [line.rstrip() for line in changed if not line.startswith("?")]
    return "\n".join([head, "", *(f"    {line}".rstrip() for line in body)])


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
