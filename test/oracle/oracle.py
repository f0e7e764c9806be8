"""An oracle for the exchange's answers, in another language and from the departments' files alone.

    python3 oracle.py CITY.json

CITY.json names the catalogue (as `yimen item list -o json` writes it), the grants, the departments' manifests, the folder of the
evidence schemas, and moments: for each the exports made until then, and a file with the answers the exchange gave, each with the facts
that the applicant stated. From the files and the rules of shared answers (held, check, supply, unknown) the oracle says which materials
must be asked for, what each answer must be, and which queries must be refused. It prints a line of JSON with counts and differences, and
exits 1 where there are any. Standard library only; written from the rules, not from the exchange's code.
"""

import csv
import datetime
import io
import json
import os
import re
import sys
import unicodedata

import cel

BEST_FIRST = ["held", "check", "unknown", "supply"]
WORST_FLAW_FIRST = ["suspended", "revoked", "expired", "superseded"]


class Bad(Exception):
    """A row that cannot be published."""


# --- numbers -------------------------------------------------------------------------------------------------------------


def narrow(text):
    return "".join(unicodedata.normalize("NFKC", text).split())


def bare(text):
    """The number in a cell, out of the armour that keeps Excel's hands off it."""
    text = narrow(text)
    armoured = re.fullmatch(r'="(.*)"', text)
    return (armoured.group(1) if armoured else text).lstrip("'").upper()


def citizen(text):
    """GB 11643: seventeen digits with a birthday in them and a check character; fifteen digits are of before 1999."""
    n = bare(text)
    if re.fullmatch(r"\d{15}", n):
        n = n[:6] + "19" + n[6:]
        n += citizen_check(n)
    if not re.fullmatch(r"\d{17}[\dX]", n) or n[17] != citizen_check(n):
        raise Bad("number")
    try:
        datetime.date(int(n[6:10]), int(n[10:12]), int(n[12:14]))
    except ValueError:
        raise Bad("number") from None
    return n


def citizen_check(n):
    return "10X98765432"[sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(n[:17])) % 11]


CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit(text):
    """GB 32100: eighteen characters with a division and an organisation code of GB 11714 in them; the last one checks the others."""
    n = bare(text)
    if len(n) != 18 or any(c not in CREDIT for c in n) or not n[2:8].isdecimal():
        raise Bad("number")
    weighed = sum(int(c, 36) * w for c, w in zip(n[8:16], (3, 7, 9, 10, 5, 8, 4, 2)))
    if n[16] != "0123456789X0"[11 - weighed % 11]:
        raise Bad("number")
    if (31 - sum(CREDIT.index(c) * pow(3, i, 31) for i, c in enumerate(n[:17]))) % 31 != CREDIT.index(n[17]):
        raise Bad("number")
    return n


def either(text):
    try:
        return citizen(text)
    except Bad:
        return credit(text)


def is_person(number):
    try:
        return citizen(number) == number
    except Bad:
        return False


# --- cells ---------------------------------------------------------------------------------------------------------------


def day(text):
    t = narrow(text)
    m = (re.fullmatch(r"(\d{4})年(\d{1,2})月(\d{1,2})日?", t) or re.fullmatch(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:\d{2}:.*)?", t)
         or re.fullmatch(r"(\d{4})(\d\d)(\d\d)", t))
    if not m:
        raise Bad("date " + t)
    y, mo, d = [int(g) for g in m.groups() if g.isdigit()]
    try:
        return datetime.date(y, mo, d).isoformat()
    except ValueError:
        raise Bad("date") from None


READERS = {"citizen-number": citizen, "credit-code": credit, "holder-number": either, "date": day}


def read(rule, text):
    if "table" in rule:
        table = {str(k): v for k, v in rule["table"].items()}
        code = unicodedata.normalize("NFC", text.strip())
        if code not in table:
            raise Bad("code")
        return table[code]
    return READERS.get(rule.get("as"), str.strip)(text)


class Register:
    """A department's file format: its manifest and the schema of what it publishes."""

    def __init__(self, manifest, schema):
        self.manifest, self.schema = manifest, schema
        self.columns = manifest["dialect"]["columns"]
        self.absent = {a for a in manifest.get("absent", [])} | {""}
        self.rules = {k: {"column": v} if isinstance(v, str) else v for k, v in manifest["mapping"].items()}
        self.holder_paths = [h["path"].strip("/").split("/") for h in schema["x-holder"]]

    def rows(self, path):
        dialect = self.manifest["dialect"]
        with open(path, "rb") as f:
            text = f.read().decode(dialect["encoding"], errors="replace").lstrip("\ufeff")
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=dialect["delimiter"])
        next(lines)
        for cells in lines:
            if cells:
                yield cells

    def cell(self, cells, column):
        at = self.columns.index(column)
        text = cells[at].strip() if at < len(cells) else ""
        return None if text in self.absent else text

    def values(self, name, rule, cells):
        """What a rule yields: (path, value or Bad) pairs."""
        if "constant" in rule:
            return [(name.split("."), rule["constant"])]
        if "items" in rule:
            out = []
            lengths = set()
            for part, inner in rule["items"].items():
                text = self.cell(cells, inner["column"])
                parts = text.split(rule["split"]) if text else []
                lengths.add(len(parts))
                out += [([name, str(i), part], attempt(inner, p)) for i, p in enumerate(parts)]
            if len(lengths) > 1:
                out.append(([name], Bad("uneven")))
            return out
        text = self.cell(cells, rule["column"])
        if text is None:
            return []
        if "split" in rule:
            return [(name.split("."), [p.strip() for p in text.split(rule["split"])])]
        return [(name.split("."), attempt(rule, text))]

    def record(self, cells):
        """The row as (record or None, holders that can be read, whether all holders can)."""
        found = [v for name, rule in self.rules.items() for v in self.values(name, rule, cells)]
        bad = len(cells) != len(self.columns) or any("\ufffd" in c for c in cells) or any(isinstance(v, Bad) for _, v in found)
        at = {"/".join(path): v for path, v in found if not isinstance(v, Bad)}
        bad = bad or any(not any(p == need or p.startswith(need + "/") for p in at) for need in self.schema["required"])
        bad = bad or self.nameless_item(at) or not self.in_form(at)
        numbers = [v for path, v in found if any(matches(path, h) for h in self.holder_paths)]
        named = [n for n in numbers if not isinstance(n, Bad)]
        whole = bool(numbers) and len(named) == len(numbers) and len(numbers) == self.expected(at, numbers)
        key = tuple(at.get(p.strip("/")) for p in self.schema["x-record-id"])
        if None in key:
            key = None
        if bad:
            return key, None, named, whole
        status = self.schema["x-status"]
        validity = self.schema.get("x-validity", {})
        return key, {
            "holders": set(named),
            "status": status["values"][at.get(status["path"].strip("/"))],
            "from": at.get(validity.get("from", "").strip("/"), ""),
            "until": at.get(validity.get("until", "").strip("/"), "9999-12-31"),
            "says": {p: v for p, v in at.items() if "/" not in p},
        }, named, whole

    def expected(self, at, numbers):
        """How many holders the row should name."""
        return max(sum(1 for h in self.rules if matches(h.split("."), path)) for path in self.holder_paths) or len(numbers)

    def nameless_item(self, at):
        for name, prop in self.schema["properties"].items():
            for need in prop.get("items", {}).get("required", []) if isinstance(prop.get("items"), dict) else []:
                places = {p.split("/")[1] for p in at if p.startswith(name + "/")}
                if any(f"{name}/{i}/{need}" not in at for i in places):
                    return True
        return False

    def in_form(self, at):
        for name, prop in self.schema["properties"].items():
            value = at.get(name)
            if not isinstance(value, str):
                continue
            if "enum" in prop and value not in prop["enum"]:
                return False
            if "pattern" in prop and "\\p" not in prop["pattern"] and name != "area" and not re.search(prop["pattern"], value):
                return False
        return True


def attempt(rule, text):
    try:
        return read(rule, text)
    except Bad as why:
        return why


def matches(path, pattern):
    return len(path) == len(pattern) and all(b in ("*", a) for a, b in zip(path, pattern))


# --- what stands, and what must be said of it ----------------------------------------------------------------------------


class Source:
    """What a department has said so far."""

    def __init__(self, register):
        self.register, self.manifest = register, register.manifest
        self.standing, self.doubtful, self.nameless, self.up_to = {}, set(), 0, None

    def export(self, path, at, manifest):
        self.manifest = manifest
        self.doubtful, self.nameless, self.up_to, there = set(), 0, at, set()
        for cells in self.register.rows(path):
            key, record, named, whole = self.register.record(cells)
            there.add(key)
            if record is None:  # what was said before stands, and nothing is certain of whom the row names
                self.doubtful |= set(named)
                self.nameless += not whole
            else:
                self.standing[key] = record
        if self.manifest["source"]["complete"]:
            for key in set(self.standing) - there:
                del self.standing[key]

    def index(self):
        self.of = {}
        for record in self.standing.values():
            for h in record["holders"]:
                self.of.setdefault(h, []).append(record)

    def speaks_for(self, number, person):
        scope = self.manifest["holders"]
        division = number[:6] if person else number[2:8]
        if scope.get("kind") not in (None, "person" if person else "org"):
            return False
        return any(division.startswith(d) for d in scope.get("divisions", [""]))

    def opinion(self, number, person, now, stale_after, demand):
        """What must be said of the holder; demand says of a record's fields whether they will do, None where that cannot be told."""
        today = (now + datetime.timedelta(hours=8)).date().isoformat()
        stale = (now - self.up_to).total_seconds() > stale_after
        if number in self.doubtful:
            return "unknown", "coverage_incomplete"
        usable, flaws = [], []
        for r in self.of.get(number, []):
            if r["status"] != "valid":
                flaws.append(r["status"])
            elif r["from"] <= today <= r["until"]:
                usable.append(demand(r["says"]))
            elif r["until"] < today:
                flaws.append("expired")
        candidates = usable.count(True) or usable.count(None)
        if candidates > 1:
            return "check", "ambiguous"
        if candidates and stale:
            return "check", "source_stale"
        if candidates:
            return ("held", "") if True in usable else ("check", "condition_not_met")
        whole = self.manifest["source"]["complete"]
        if not self.speaks_for(number, person):
            return "unknown", "coverage_incomplete"
        if stale and whole:
            return "unknown", "source_stale"
        if not whole or self.nameless > self.manifest["tolerance"]["unreadable"]:
            return "unknown", "coverage_incomplete"
        if usable:
            return "supply", "condition_not_met"
        flaws.sort(key=WORST_FLAW_FIRST.index)
        return "supply", flaws[0] if flaws else "not_held"


def answer(material, of):
    sets = material.get("alternatives") or []
    if not sets:
        return "supply", "applicant_made"
    worst = [max((of(need) for need in s), key=lambda o: BEST_FIRST.index(o[0])) for s in sets]  # the first of equals, both times
    return min(worst, key=lambda o: BEST_FIRST.index(o[0]))


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(datetime.timezone.utc).replace(tzinfo=None)


class Oracle:
    """All that is known of the city at a moment."""

    def __init__(self, city):
        self.asker, self.stale_after, self.schemas = city["asker"], city["stale_after"], city["schemas"]
        self.items = {i["code"]: i for i in city["items"]}
        self.grants, self.sources, self.conditions, self.memory = {}, {}, {}, {}
        for g in city["grants"]:
            if g["department"] == self.asker:
                self.grants.setdefault(g["item"], []).append((g["evidence"], g["from"], g["until"]))

    def turn(self, now, exports):
        """A new moment, with what was exported since the last one."""
        self.now, self.memory = now, {}
        self.today = (now + datetime.timedelta(hours=8)).date().isoformat()
        for e in exports:
            kind = e["evidence"]
            if kind not in self.sources:
                with open(os.path.join(self.schemas, kind + ".json"), encoding="utf-8") as f:
                    self.sources[kind] = Source(Register(e["manifest"], json.load(f)))
            self.sources[kind].export(e["path"], moment(e["at"]), e["manifest"])
        for s in self.sources.values():
            s.index()

    def holds(self, condition, facts, person, record):
        if condition not in self.conditions:
            self.conditions[condition] = cel.parse(condition)
        return self.conditions[condition](
            {"record": record, "facts": facts, "applicant": "person" if person else "org", "today": self.today})

    def answers(self, number, item, facts):
        """The code of the refusal, or what must be said: (material, outcome, reason) for each that is asked for."""
        item, person = self.items[item], is_person(number)
        if item["applicant"] not in ("", "person" if person else "org"):
            return "YM-QRY-0113"
        granted = {kind for kind, since, until in self.grants.get(item["code"], []) if since <= self.today <= until}
        if not granted and item["department"] != self.asker:
            return "YM-QRY-0201"

        def of(need):
            if need["evidence"] not in granted:
                return "supply", "no_grant"
            if need.get("of", "self") != "self":
                return "unknown", "party_not_stated"  # nobody says who the others are
            return self.opinion(number, person, need, facts)

        asked = [m for m in item["materials"] if "if" not in m or self.holds(m["if"], facts, person, {}) is not False]
        return [(m["code"], *answer(m, of)) for m in asked]

    def opinion(self, number, person, need, facts):
        kind, when = need["evidence"], need.get("when", "")
        key = number, kind, when, str(facts) if "facts" in when else ""
        if key not in self.memory:
            def demand(says):
                return not when or self.holds(when, facts, person, says)

            self.memory[key] = self.sources[kind].opinion(number, person, self.now, self.stale_after[kind], demand)
        return self.memory[key]


def main(path):
    with open(path, encoding="utf-8") as f:
        city = json.load(f)
    oracle, seen, different, examples, items, applicants = Oracle(city), {}, 0, [], set(), set()
    for m in city["moments"]:
        oracle.turn(moment(m["now"]), m["exports"])
        with open(m["answers"], encoding="utf-8") as f:
            for line in f:
                asked = json.loads(line)
                number, item = asked["applicant"], asked["item"]
                want = oracle.answers(number, item, asked["facts"])
                got = asked.get("refused") or [tuple(a) for a in asked["answers"]]
                applicants.add(number)
                if not isinstance(want, str):
                    items.add(item)
                for said in [want] if isinstance(want, str) else ["/".join(a[1:]) for a in want]:
                    seen[said] = seen.get(said, 0) + 1
                if got != want:
                    different += 1
                    if len(examples) < 10:
                        examples.append([m["now"], item, number, asked["facts"], got, want])
    print(json.dumps({"applicants": len(applicants), "items": len(items), "answers": seen, "different": different, "examples": examples},
                     ensure_ascii=False))
    return different != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
