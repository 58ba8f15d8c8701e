#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AWS's SDK for Python calls the API, its transport replaced by a pipe: it serialises,
signs, and reads the answers and the errors. Skipped without botocore or OpenSSL."""

import os
import pathlib
import subprocess
import sys
import time
from urllib.parse import urlsplit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from say import BUILD, Say  # noqa: E402

try:
    import botocore.session
    from botocore.awsrequest import AWSResponse
    from botocore.config import Config
    from botocore.exceptions import ClientError
except ImportError:
    # the distribution's package belongs to the distribution's interpreter
    other = "/usr/bin/python3"
    if os.access(other, os.X_OK) and not os.environ.get("S2_OTHER_PYTHON"):
        os.environ["S2_OTHER_PYTHON"] = "1"
        os.execv(other, [other, *sys.argv])
    botocore = None

PROGRAM = BUILD / "tests/api/ask"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


class Raw:
    def __init__(self, body):
        self.body = body

    def stream(self, *_args, **_kw):
        yield self.body


def hexed(text):
    return (text if isinstance(text, bytes) else str(text).encode()).hex() or "."


def send(request, **_kw):
    parts = urlsplit(request.url)
    headers = list(request.headers.items()) + [("Host", parts.netloc)]
    fields = [str(int(time.time())), SECRET, None, request.method,
              parts.path + ("?" + parts.query if parts.query else ""), request.body or ""]
    line = " ".join(["-" if f is None else hexed(f) for f in fields]
                    + [hexed(x) for h in headers for x in h])
    done = subprocess.run([str(PROGRAM), "answer"], input=line.encode() + b"\n",
                          capture_output=True, timeout=60, check=True)
    status, request_id, body = done.stdout.decode().split()
    return AWSResponse(request.url, int(status), {"x-amzn-requestid": request_id},
                       Raw(bytes.fromhex(body)))


def client(service, secret=SECRET, key="AKIDEXAMPLE", region="eu-central-1"):
    made = session.create_client(service, region_name=region, aws_access_key_id=key,
                                 aws_secret_access_key=secret,
                                 config=Config(retries={"total_max_attempts": 1},
                                               parameter_validation=False))
    made.meta.events.register("before-send", send)
    return made


def code_of(call, **parameters):
    try:
        return call(**parameters)
    except ClientError as e:
        return e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]


def expect(name, got, wanted):
    say.check(name, [] if got == wanted else [f"{got!r} instead of {wanted!r}"])


say = Say("api/botocore_calls")
if botocore is None or not PROGRAM.exists():
    say.skip("all", "no botocore" if botocore is None else f"no {PROGRAM}")
    say.end()
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]  # a person's own settings
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
session = botocore.session.Session()
ec2, sts = client("ec2"), client("sts")

got = sts.get_caller_identity()
expect("GetCallerIdentity", [got["Account"], got["Arn"], got["UserId"]],
       ["123456789012", "arn:aws:iam::123456789012:user/jane", "AIDAEXAMPLE"])
got = ec2.describe_regions(RegionNames=["eu-west-1", "us-east-1"], AllRegions=True)
expect("DescribeRegions", got["Regions"],
       [{"OptInStatus": "opt-in-not-required", "RegionName": name,
         "Endpoint": f"ec2.{name}.amazonaws.com"} for name in ("eu-west-1", "us-east-1")])
got = ec2.describe_regions(Filters=[{"Name": "region-name", "Values": ["nowhere", "us-*"]}])
expect("a filter with a wildcard", [r["RegionName"] for r in got["Regions"]],
       ["us-east-1", "us-east-2", "us-west-1", "us-west-2"])
got = ec2.describe_availability_zones()["AvailabilityZones"]
expect("DescribeAvailabilityZones", [(z["ZoneName"], z["ZoneId"], z["State"]) for z in got],
       [(f"eu-central-1{letter}", f"euc1-az{i}", "available")
        for i, letter in enumerate("abc", 1)])
got = ec2.describe_account_attributes(AttributeNames=["supported-platforms"])
expect("DescribeAccountAttributes", got["AccountAttributes"],
       [{"AttributeName": "supported-platforms", "AttributeValues": [{"AttributeValue": "VPC"}]}])
for name, call, parameters, wanted in (
        ("DryRun", ec2.describe_regions, {"DryRun": True}, ("DryRunOperation", 412)),
        ("an unknown filter", ec2.describe_regions,
         {"Filters": [{"Name": "x<&>", "Values": ["y"]}]}, ("InvalidParameterValue", 400)),
        ("an unknown region", ec2.describe_regions, {"RegionNames": ["x"]},
         ("InvalidParameterValue", 400)),
        ("an action that isn't there", ec2.describe_instances, {}, ("InvalidAction", 400)),
        ("another secret", client("ec2", "x").describe_regions, {}, ("AuthFailure", 401)),
        ("another key", client("ec2", key="AKIDOTHER").describe_regions, {},
         ("AuthFailure", 401)),
        ("another secret at sts", client("sts", "x").get_caller_identity, {},
         ("SignatureDoesNotMatch", 403)),
        ("another key at sts", client("sts", key="AKIDOTHER").get_caller_identity, {},
         ("InvalidClientTokenId", 403))):
    expect(f"the SDK reads the error: {name}", code_of(call, **parameters), wanted)
say.end()
