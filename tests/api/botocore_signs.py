#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AWS's SDK for Python signs random requests, in headers and in URLs: each is accepted,
and refused with one bit changed. Skipped without botocore or a build with OpenSSL."""

import os
import pathlib
import random
import subprocess
import sys
import time
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from say import BUILD, Say  # noqa: E402

try:
    from botocore.auth import SigV4Auth, SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    # the distribution's package belongs to the distribution's interpreter
    other = "/usr/bin/python3"
    if os.access(other, os.X_OK) and not os.environ.get("S2_OTHER_PYTHON"):
        os.environ["S2_OTHER_PYTHON"] = "1"
        os.execv(other, [other, *sys.argv])
    SigV4Auth = None

PROGRAM = BUILD / "tests/api/ask"
ODD = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~äß€漢😀"
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SEED = 20260102
COUNT = 400


def word(r, least, most, letters=PLAIN + ODD):
    return "".join(r.choice(letters) for _ in range(r.randint(least, most)))


def parameters(r):
    names = {f"{word(r, 1, 8, PLAIN)}{r.choice(['', '.1', '.2.Name', '.10', '~', ' b', 'ü'])}"
             for _ in range(r.randint(0, 12))}
    return {name: word(r, 0, 20) for name in names}


def path(r):
    return "/" + r.choice(["", "", "", quote(word(r, 1, 8), safe=""), "a/b/", "a//b", "a/./b/../c",
                           "..", "a/.."])


def headers(r):
    """Some of them repeated, with blanks around and inside."""
    names = ["Content-Type", "X-Amz-Target", "X-Amz-Meta", "Accept", "X-Odd", "User-Agent"]
    for name in r.sample(names, r.randint(0, len(names))):
        for _ in range(r.choice([1, 1, 1, 2, 3])):
            value = word(r, 0, 12, PLAIN + "  \t;,=ä€")
            yield name, r.choice(["", " "]) + value + r.choice(["", "  "])


class Signed:
    """A request as it goes over the wire, and what its key is."""

    def __init__(self, r, presigned):
        self.secret = word(r, 1, 60, PLAIN + "/+=")
        self.token = word(r, 1, 300, PLAIN + "/+=") if r.random() < 0.3 else None
        key = Credentials("AKID" + word(r, 4, 16, PLAIN[26:]), self.secret, self.token)
        region = r.choice(["us-east-1", "eu-central-1", "ap-southeast-2"])
        host = r.choice([f"ec2.{region}.amazonaws.com", "127.0.0.1:8443", "localhost:5000"])
        scheme = "https" if host.startswith("ec2") else "http"
        query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}"
                         for k, v in parameters(r).items())
        post = not presigned and r.random() < 0.7
        url = f"{scheme}://{host}{path(r)}" + ("" if post and r.random() < 0.8 or not query
                                               else f"?{query}")
        request = AWSRequest(method="POST" if post else "GET", url=url,
                             data=query.encode() if post else b"")
        for name, value in headers(r):
            request.headers.add_header(name, value)
        service = r.choice(["ec2", "ec2", "sts"])
        self.now = int(time.time())
        if presigned:
            SigV4QueryAuth(key, service, region, expires=r.randint(60, 604800)).add_auth(request)
        else:
            SigV4Auth(key, service, region).add_auth(request)
        parts = urlsplit(request.url)
        self.method = request.method.encode()
        self.target = (parts.path + ("?" + parts.query if parts.query else "")).encode()
        self.body = request.data or b""
        self.headers = [[k.encode(), v.encode()] for k, v in request.headers.items()]
        if not any(k.lower() == b"host" for k, _ in self.headers):
            self.headers.insert(r.randint(0, len(self.headers)), [b"Host", host.encode()])
        r.shuffle(self.headers) if len({k for k, _ in self.headers}) == len(self.headers) else None

    def line(self):
        def hexed(b):
            return b.hex() or "."
        token = "-" if self.token is None else hexed(self.token.encode())
        fields = [hexed(str(self.now).encode()), hexed(self.secret.encode()), token,
                  hexed(self.method), hexed(self.target), hexed(self.body)]
        return " ".join(fields + [hexed(x) for h in self.headers for x in h])

    def change(self, r):
        """One bit, where it counts. Not the one between an escape's %2f and %2F, nor in
        a path, whose "/./" and "///" are one; nor in what botocore leaves unsigned."""
        places = ["method", "secret"]
        if b"?" in self.target:
            places += ["target"] * 3
        if self.body:
            places += ["body"] * 2
        good = [i for i, (k, v) in enumerate(self.headers)
                if v.strip() and k.lower() not in (b"user-agent", b"expect")]
        place = r.choice(places + ["header"] * 3)
        if place == "header":
            i = r.choice(good)
            value = self.headers[i][1]
            start, end = len(value) - len(value.lstrip()), len(value.rstrip())
            if self.headers[i][0] == b"Authorization":
                start = value.index(b"/")  # which key it is isn't signed
            self.headers[i][1] = flip(r, value, start, end)
        elif place == "secret":
            self.secret = flip(r, self.secret.encode(), 0, 1, 0x0f).decode("latin-1")
        elif place == "target":
            self.target = flip(r, self.target, self.target.index(b"?") + 1, len(self.target), 0x5f)
        else:
            setattr(self, place, flip(r, getattr(self, place), 0, len(getattr(self, place))))
        return place


def flip(r, text, start, end, bits=0x7f):
    at = r.randrange(start, end)
    bit = r.choice([1 << b for b in range(7) if bits & 1 << b])
    return text[:at] + bytes([text[at] ^ bit]) + text[at + 1:]


def judge(requests):
    text = "".join(request.line() + "\n" for request in requests)
    done = subprocess.run([str(PROGRAM)], input=text.encode(), capture_output=True, timeout=300)
    answers = done.stdout.decode().splitlines()
    if done.returncode != 0 or len(answers) != len(requests):
        raise SystemExit(f"{PROGRAM}: {done.returncode}, {len(answers)} answers")
    return answers


say = Say("api/botocore_signs")
if SigV4Auth is None or not PROGRAM.exists():
    say.skip("all", "no botocore" if SigV4Auth is None else f"no {PROGRAM}")
    say.end()
for what, presigned in (("headers", False), ("URLs", True)):
    rng = random.Random(SEED + presigned)
    requests = [Signed(rng, presigned) for _ in range(COUNT)]
    say.check(f"{COUNT} requests signed in {what} are accepted",
              [f"{answer}: {request.method} {request.target} {request.headers}"
               for request, answer in zip(requests, judge(requests)) if answer != "accepted"])
    places = [request.change(rng) for request in requests]
    say.check(f"the same with one bit changed are refused ({what})",
              [f"{place}: {request.method} {request.target} {request.headers} {request.body}"
               for request, answer, place in zip(requests, judge(requests), places)
               if answer == "accepted"])
say.end()
