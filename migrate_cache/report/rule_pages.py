"""What users read about rules: the list and the pages."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from migrate_cache.rules.registry import all_rules, load_rule, rule_names
from migrate_cache.text.errors import ConfigError, nearest

if TYPE_CHECKING:
    from migrate_cache.rules.rule import Example, Rule

_WIDTH = 88
_CODE = re.compile("`[^`]*`")
# textwrap breaks at ASCII blanks only.
_BLANK = "\u00a0"


def list_rules(width: int = _WIDTH) -> str:
    """Return all rules as a table for a terminal."""
    name_width = max(len(rule.name) for rule in all_rules())
    severity_width = max(len(rule.severity) for rule in all_rules())
    lines = []
    for rule in all_rules():
        head = f"{rule.code}  {rule.name:{name_width}}  {rule.severity:{severity_width}}  "
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


def explain(code: str) -> str:
    """Return what a rule does, why, with an example and its sources.

    `code` may be in lower case, and may be the rule's name. Raises ConfigError for one that
    is not known, with the nearest that is.
    """
    rule = _find(code)
    blocks = [
        f"{rule.code} {rule.name} ({rule.severity})",
        _fill(f"{rule.summary[0].upper()}{rule.summary[1:]}."),
        *map(_filled, explanation(rule).split("\n\n")),
        *map(_example, rule.examples),
    ]
    if rule.sources:
        blocks.append("Sources:\n" + "\n".join(f"  {source}" for source in rule.sources))
    return "\n\n".join(blocks) + "\n"


def _find(wanted: str) -> Rule:
    names = rule_names()
    wanted = wanted.strip()
    for code, name in names.items():
        if wanted.upper() == code or wanted.lower() == name:
            return load_rule(code)
    if wanted.upper().startswith("MC"):
        near = max(names, key=lambda code: _agreement(code, wanted.upper()))
    else:
        near = nearest(wanted.lower(), list(names.values())) or ""
    hint = f"did you mean {near}? " if near else ""
    raise ConfigError(f"no such rule: {wanted!a}", hint=f"{hint}--list-rules lists all of them")


def _agreement(one: str, other: str) -> int:
    """Return how many characters the two begin with in common."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), len(other))


def _fill(text: str, width: int = _WIDTH) -> str:
    """Wrap `text`, but not inside of backquotes."""
    whole = _CODE.sub(lambda match: match[0].replace(" ", _BLANK), text)
    wrapped = textwrap.fill(whole, width, break_on_hyphens=False, break_long_words=False)
    return wrapped.replace(_BLANK, " ")


def _filled(paragraph: str) -> str:
    if not paragraph.startswith("* "):
        return _fill(paragraph)
    items = paragraph.removeprefix("* ").split(" * ")
    return "\n".join("  * " + _fill(item, _WIDTH - 4).replace("\n", "\n    ") for item in items)


def _example(example: Example) -> str:
    if not example.after:
        head = f"Example, {example.path} (left as it is):"
        body = example.before.rstrip("\n").split("\n")
    else:
        from difflib import ndiff

        head = f"Example, {example.path}:"
        changed = ndiff(example.before.splitlines(), example.after.splitlines())
        body = [line.rstrip() for line in changed if not line.startswith("?")]
    return "\n".join([head, "", *(f"    {line}".rstrip() for line in body)])
