#!/usr/bin/env python3
"""Prints AWS configurations and what botocore makes of them, one JSON object a line.

usage: aws_profiles.py FOLDER COUNT SEED

Writes config and credentials files into FOLDER. Each line has the environment to look with and `found`: the chain of
credentials as botocore resolved it, with nothing sent and no program run. In place of what a service would give stands
a description of what it would have been asked.
"""
import json
import os
import random
import sys

import botocore.credentials as credentials
import botocore.exceptions
import botocore.session

folder, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dice = random.Random(seed)


def described(access, secret, token):
    """What keys stand for: a description that a patched provider made, or the keys themselves."""
    if access.startswith("{"):
        return json.loads(access)
    return {"access": access, "secret": secret, "token": token}


def given(description):
    return credentials.Credentials(json.dumps(description), "secret", "token")


class Client:
    """In place of the client of STS."""

    def __init__(self, **keys):
        self.keys = keys

    @staticmethod
    def answer(description):
        return {"Credentials": {"AccessKeyId": json.dumps(description), "SecretAccessKey": "secret",
                                "SessionToken": "token", "Expiration": "2040-01-01T00:00:00Z"},
                "AssumedRoleUser": {"Arn": "arn:aws:sts::1:assumed-role/a/b"}}

    @staticmethod
    def role(arguments):
        name = arguments["RoleSessionName"]
        return {"role": arguments["RoleArn"], "external": arguments.get("ExternalId"),
                "session": None if name.startswith("botocore-session") else name}

    def assume_role(self, **arguments):
        return self.answer({**self.role(arguments), "seconds": arguments.get("DurationSeconds"),
                            "from": described(self.keys["aws_access_key_id"], self.keys["aws_secret_access_key"],
                                              self.keys["aws_session_token"])})

    def assume_role_with_web_identity(self, **arguments):
        return self.answer({**self.role(arguments), "file": arguments["WebIdentityToken"]})


class Signed(Exception):
    """A profile that signs in through a browser."""


def browser(provider):
    profile = provider._load_config().get("profiles", {}).get(provider._profile_name, {})
    if any(key in profile for key in ("sso_session", "sso_start_url", "sso_account_id")):
        raise Signed


credentials._get_client_creator = lambda session, region: lambda service, **keys: Client(**keys)
credentials.SSOProvider.load = browser
credentials.ProcessProvider._retrieve_credentials_using = lambda self, command: {
    "access_key": json.dumps({"program": credentials.compat_shell_split(command)}), "secret_key": "s", "token": "t"}
credentials.ContainerProvider._retrieve_or_fail = lambda self: given({"container": True})
credentials.InstanceMetadataProvider.load = lambda self: given({"instance": True})

NAMES = ["default", "a", "b", "c d", "e"]
ARNS = ["arn:aws:iam::012345670123:role/r", "arn:aws:iam::111122223333:role/path/q"]


def keys():
    some = {"aws_access_key_id": "AKIA" + str(dice.randint(100, 999)), "aws_secret_access_key": "s/+=" + dice.choice("xyz")}
    if dice.random() < 0.3:
        some["aws_session_token"] = "tok#en;" + dice.choice("xyz") + "=="
    if dice.random() < 0.05:
        del some["aws_secret_access_key"]
    return some


def profile():
    values = {}
    kind = dice.random()
    if kind < 0.25:
        values.update(keys())
    elif kind < 0.75:
        values["role_arn"] = dice.choice(ARNS)
        if dice.random() < 0.85:
            values["source_profile"] = dice.choice(NAMES + ["missing"] if dice.random() < 0.1 else NAMES)
        if dice.random() < (0.05 if "source_profile" in values else 0.7):
            values["credential_source"] = dice.choice(["Environment", "Ec2InstanceMetadata", "EcsContainer", "Nowhere"])
        if dice.random() < 0.4:
            values["external_id"] = dice.choice(["x-1", "two words", "a=b:c"])
        if dice.random() < 0.4:
            values["role_session_name"] = "me@here"
        if dice.random() < 0.3:
            values["duration_seconds"] = "900"
        if dice.random() < 0.08:
            values.update(keys())
    elif kind < 0.85:
        values["credential_process"] = dice.choice(["/bin/echo {}", "'/opt/a b/p' --x \"y z\" q\\ r", "p \"a\\\\b\\c\" ''"])
    elif kind < 0.91:
        values["role_arn"] = dice.choice(ARNS)
        values["web_identity_token_file"] = os.path.join(folder, "web-token")
    elif kind < 0.96:
        values["sso_start_url"] = "https://example.com"
    values["region"] = dice.choice(["eu-west-1", "us-east-1"])
    return values


def written(values):
    lines = []
    for key, value in dice.sample(sorted(values.items()), len(values)):
        if dice.random() < 0.2:
            lines.append(dice.choice(["# a = b", "; [x]", "", "   ", "  # deep"]))
        key = key.upper() if dice.random() < 0.1 else key
        lines.append(key + dice.choice([" = ", "=", ": ", " =", "\t=\t"]) + value + dice.choice(["", "", "  "]))
        if dice.random() < 0.1:
            lines += ["s3 =", "  max_concurrent_requests = 10", "  signature_version = s3v4"]
            return lines
    return lines


def files(case):
    config, secret = [], []
    for name in NAMES:
        if dice.random() < 0.85:
            quoted = name if " " not in name else dice.choice([f'"{name}"', f"'{name}'"])
            config.append("[default]" if name == "default" else f"[profile {quoted}]")
            config += written(profile())
        if dice.random() < 0.15:
            secret.append(f"[{name}]")
            secret += written(keys() if dice.random() < 0.8 else profile())
    if dice.random() < 0.3:
        config += ["[sso-session s]", "sso_region = us-east-1", "[plugins]", "x = y"]
    ending = "\r\n" if dice.random() < 0.1 else "\n"
    paths = [os.path.join(folder, f"{case}-config"), os.path.join(folder, f"{case}-credentials")]
    for path, lines in zip(paths, [config, secret]):
        if lines:
            with open(path, "w", newline="", encoding="utf-8") as file:
                file.write(ending.join(lines) + ending)
    return paths


def environment(case):
    config, secret = files(case)
    values = {"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": secret}
    if dice.random() < 0.8:
        values["AWS_PROFILE"] = dice.choice(NAMES)
    else:
        values.update({"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "envsecret"})
        if dice.random() < 0.5:
            values["AWS_SESSION_TOKEN"] = "envtoken"
    if dice.random() < 0.1:
        values["AWS_WEB_IDENTITY_TOKEN_FILE"] = os.path.join(folder, "web-token")
        if dice.random() < 0.8:
            values["AWS_ROLE_ARN"] = ARNS[0]
        if dice.random() < 0.5:
            values["AWS_ROLE_SESSION_NAME"] = "pod"
    if dice.random() < 0.4:
        values["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x"
    return values


def resolve(values):
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(values)
    try:
        session = botocore.session.Session()
        found = credentials.create_credential_resolver(session).load_credentials()
        frozen = found.get_frozen_credentials()
        return described(frozen.access_key, frozen.secret_key, frozen.token), session.get_config_variable("region")
    except Signed:
        return {"error": "browser"}, None
    except botocore.exceptions.InfiniteLoopConfigError:
        return {"error": "circle"}, None
    except (botocore.exceptions.BotoCoreError, KeyError):
        return {"error": "other"}, None


with open(os.path.join(folder, "web-token"), "w", encoding="utf-8") as web:
    web.write("WEB")
for number in range(count):
    looked = environment(number)
    what, where = resolve(looked)
    print(json.dumps({"environment": looked, "found": what, "region": where}))
