#!/usr/bin/env python3
"""问一门平台：一件事项、一位申请人，哪些材料政府已有。 / Asks a Yimen exchange which of an item's materials government already holds.

    echo 91430281000000019C | YIMEN_URL=https://… YIMEN_CA=roots.crt YIMEN_TOKEN=window.token python3 query.py food-licence-new LL-2026-1123-0041

号码从标准输入读，令牌和证书从文件读：都不出现在命令行、地址或环境变量中。
The number comes by standard input, token and certificate from files: none of them stands in a command line, an address or the environment.

YIMEN_TOKEN: 写有令牌的文件 / a file that holds the token. YIMEN_CERT: yimen enroll 写下的 identity.key / as yimen enroll wrote it.
YIMEN_PATIENCE: 总共等多少秒，默认 60 / how many seconds to wait, all in all; 60.
只用标准库，Python 3.9 起。 / The standard library only, Python 3.9 or later.
退出码 / exit code: 0 有结论 answered, 1 被拒绝 refused, 2 用法 usage
"""

import datetime
import http.client
import json
import os
import secrets
import ssl
import sys
import time
import urllib.error
import urllib.request


class Refused(Exception):
    """What the exchange refused, after RFC 9457: code, title, detail, mend."""

    def __init__(self, status, problem):
        super().__init__("{}: {}\n{}\n→ {}".format(problem.get("code", status), problem.get("title", ""), problem.get("detail", ""), problem.get("mend", "")))
        self.status = status


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Numbers and tokens go to the exchange that they were meant for and to nobody else."""

    def redirect_request(self, *_):
        return None


class Client:
    def __init__(self, base, ca, token=None, cert=None, patience=60.0):
        self.base, self.token, self.patience = base.rstrip("/"), token, patience
        context = ssl.create_default_context(cafile=ca)  # trusts the city's roots only, and checks the name
        if cert:
            context.load_cert_chain(cert)
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), NoRedirect)

    def query(self, item, case, applicant):
        """Asks until there is an answer, a refusal that waiting does not change, or no more patience."""
        body = json.dumps({"case": case, "item": item, "applicant": applicant}).encode()
        key = secrets.token_hex(16)  # the same with each sending: it is carried out once
        until, pause = time.monotonic() + self.patience, 1.0
        while True:
            try:
                return self._send("/v1/queries", body, key)
            except urllib.error.HTTPError as e:
                wait = e.headers.get("Retry-After", "")
                if e.code in (429, 503) and wait.isdigit():
                    wait = float(wait)
                elif e.code in (502, 503, 504):
                    wait = pause
                else:  # a 429 without Retry-After too: waiting does not help
                    raise Refused(e.code, problem(e)) from None
                if time.monotonic() + wait > until:
                    raise Refused(e.code, problem(e)) from None
            except (urllib.error.URLError, http.client.HTTPException, OSError) as e:  # not reached, too slow, cut off
                wait = pause
                if isinstance(getattr(e, "reason", e), ssl.SSLCertVerificationError) or time.monotonic() + wait > until:
                    raise
            time.sleep(wait)
            pause = min(2 * pause, 8.0)

    def _send(self, path, body, key):
        request = urllib.request.Request(self.base + path, data=body, method="POST", headers={
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "Yimen-Nonce": secrets.token_hex(16),  # new with each sending: a copy is refused
            "Yimen-Time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        })
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        with self.opener.open(request, timeout=30) as answer:
            return json.load(answer)


def problem(error):
    """The problem details of a refusal; empty where somebody else answered, such as a proxy."""
    try:
        told = json.load(error)
    except (ValueError, OSError):
        return {}
    return told if isinstance(told, dict) else {}


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def main():
    env = os.environ.get
    if len(sys.argv) != 3 or not env("YIMEN_URL") or not env("YIMEN_CA") or not (env("YIMEN_TOKEN") or env("YIMEN_CERT")):
        print("用法 / usage: YIMEN_URL=… YIMEN_CA=… YIMEN_TOKEN=FILE python3 query.py ITEM CASE < number", file=sys.stderr)
        return 2
    try:
        client = Client(env("YIMEN_URL"), env("YIMEN_CA"), token=read(env("YIMEN_TOKEN")) if env("YIMEN_TOKEN") else None,
                        cert=env("YIMEN_CERT"), patience=float(env("YIMEN_PATIENCE", "60")))
        conclusion = client.query(sys.argv[1], sys.argv[2], sys.stdin.readline().strip())
    except (Refused, OSError, http.client.HTTPException) as e:
        print(e, file=sys.stderr)
        return 1
    for material in conclusion["answers"]:
        print(material["outcome"], material["material"], material["name"]["zh"], material.get("reason", ""), sep="\t")
    print("回执 / receipt", conclusion["receipt"]["id"])
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stderr.reconfigure(encoding="utf-8")
    sys.exit(main())
