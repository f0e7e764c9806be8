"""A small reading of CEL (cel.dev): as much of the language as conditions of service items use, and not a word more.

    holds = parse('years(record.bornOn, today) >= 80')
    holds({"record": {"bornOn": "1950-01-02"}, "facts": {}, "applicant": "person", "today": "2030-06-03"})  # True, False or None

None: what is named is not there, or not of the kind that the operator takes. "&&" and "||" are settled by one side alone where they can
be, whatever the other says, as CEL has it. Written from CEL's published definition; what this does not know is a SyntaxError.
"""

import ast
import datetime
import re

TOKEN = re.compile(r"""\s*(?:(\d+)|([A-Za-z_]\w*)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(&&|\|\||[=!<>]=|[!<>().,\[\]]))""")


class Unclear(Exception):
    """The expression has no value here."""


def parse(text):
    reader = Reader(text)
    root = reader.either()
    if reader.at < len(reader.tokens):
        raise SyntaxError(f"{text}: {reader.tokens[reader.at]} is not expected")

    def holds(situation):
        try:
            value = root(situation)
        except Unclear:
            return None
        return value if isinstance(value, bool) else None

    return holds


def day(text):
    try:
        return datetime.date.fromisoformat(text)
    except (TypeError, ValueError):
        raise Unclear from None


def whole_years(start, end):
    start, end = day(start), day(end)
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


FUNCTIONS = {"days": lambda start, end: (day(end) - day(start)).days, "years": whole_years}


def ordered(a, b):
    """Only things of one kind have an order."""
    if type(a) is not type(b) or type(a) not in (int, str):
        raise Unclear
    return (a > b) - (a < b)


def equal(a, b):
    return type(a) is type(b) and a == b


def among(a, group):
    if not isinstance(group, (list, dict)):
        raise Unclear
    return any(equal(a, b) for b in group)


COMPARE = {
    "==": equal, "!=": lambda a, b: not equal(a, b), "in": among,
    "<": lambda a, b: ordered(a, b) < 0, "<=": lambda a, b: ordered(a, b) <= 0,
    ">": lambda a, b: ordered(a, b) > 0, ">=": lambda a, b: ordered(a, b) >= 0,
}


def settled(parts, by):
    """The value of parts joined by && (by False) or || (by True)."""
    unclear = False
    for part in parts:
        try:
            value = part()
        except Unclear:
            unclear = True
            continue
        if value is by:
            return by
        unclear = unclear or not isinstance(value, bool)
    if unclear:
        raise Unclear
    return not by


def member(of, name):
    if not isinstance(of, dict) or name not in of:
        raise Unclear
    return of[name]


class Reader:
    """Reads one expression, from the weakest operator down; each method gives a function of the situation."""

    def __init__(self, text):
        self.text, self.tokens, self.at, end = text, [], 0, 0
        while text[end:].strip():
            m = TOKEN.match(text, end)
            if not m:
                raise SyntaxError(f"{text}: {text[end:]} cannot be read")
            self.tokens.append(m.group().strip())
            end = m.end()

    def take(self, *wanted):
        if self.at < len(self.tokens) and (not wanted or self.tokens[self.at] in wanted):
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def need(self, token):
        if not self.take(token):
            raise SyntaxError(f"{self.text}: {token} is expected after {self.tokens[: self.at]}")

    def either(self):
        return self.chain("||", True, self.both)

    def both(self):
        return self.chain("&&", False, self.relation)

    def chain(self, operator, by, inner):
        parts = [inner()]
        while self.take(operator):
            parts.append(inner())
        if len(parts) == 1:
            return parts[0]
        return lambda s: settled([lambda p=p: p(s) for p in parts], by)

    def relation(self):
        left = self.unary()
        operator = self.take(*COMPARE)
        if not operator:
            return left
        right = self.unary()
        return lambda s: COMPARE[operator](left(s), right(s))

    def unary(self):
        if not self.take("!"):
            return self.selected()
        inner = self.unary()
        return lambda s: not settled([lambda: inner(s)], False)

    def selected(self):
        of = self.primary()
        while self.take("."):
            name = self.take()
            of = self.exists(of) if name == "exists" and self.take("(") else self.field(of, name)
        return of

    @staticmethod
    def field(of, name):
        return lambda s: member(of(s), name)

    def exists(self, of):
        variable = self.take()
        self.need(",")
        inner = self.either()
        self.need(")")

        def any_of(s):
            group = of(s)
            if not isinstance(group, list):
                raise Unclear
            return settled([lambda v=v: inner({**s, variable: v}) for v in group], True)

        return any_of

    def primary(self):
        token = self.take()
        if token is None:
            raise SyntaxError(f"{self.text} breaks off")
        if token == "(":
            inner = self.either()
            self.need(")")
            return inner
        if token == "[":
            items = self.listed("]")
            return lambda s: [i(s) for i in items]
        if token[0] in "\"'" or token.isdigit():
            value = ast.literal_eval(token)
            return lambda s: value
        if token in ("true", "false"):
            return lambda s: token == "true"
        if token == "has" and self.take("("):
            return self.has()
        if self.take("("):
            arguments, of = self.listed(")"), FUNCTIONS.get(token)
            if not of:
                raise SyntaxError(f"{self.text}: {token} is not known")
            return lambda s: of(*[a(s) for a in arguments])
        return lambda s: member(s, token)

    def has(self):
        variable = self.take()
        self.need(".")
        name = self.take()
        self.need(")")
        return lambda s: name in member(s, variable)

    def listed(self, end):
        items = []
        while not self.take(end):
            if items:
                self.need(",")
            items.append(self.either())
        return items
