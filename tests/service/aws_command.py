#!/usr/bin/python3 -s
"""Stands in for the command of the AWS CLI, with what that needs in the sandbox of the unit.

As version 2.9.19 of Debian 12: region and keys from the files that two variables name, or below the
home directory; for a role, a cache below the home directory; for a secret, a server with a name.
"""

import configparser
import hashlib
import os
import sys
import urllib.request
from pathlib import Path


def read(variable: str, name: str) -> dict[str, str]:
    parser = configparser.ConfigParser()
    parser.read(os.environ.get(variable) or Path.home() / ".aws" / name)
    return dict(parser["default"]) if "default" in parser else {}


config = read("AWS_CONFIG_FILE", "config")
keys = read("AWS_SHARED_CREDENTIALS_FILE", "credentials")
if "aws_access_key_id" not in keys:
    sys.exit("Unable to locate credentials")
if "role_arn" in config:
    cache = Path.home() / ".aws" / "cli" / "cache"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "role.json").write_text("{}")
    except OSError as error:
        sys.exit(str(error))
words = sys.argv[1:]
options = dict(zip(words[2::2], words[3::2], strict=True))
if words[:2] == ["rds", "generate-db-auth-token"]:
    request = (f"{options['--hostname']}:{options['--port']}/?Action=connect&DBUser={options['--username']}"
               f"&X-Amz-Credential={keys['aws_access_key_id']}%2F{options['--region']}")
    signature = hashlib.sha512((request + keys["aws_secret_access_key"]).encode()).hexdigest()
    print(f"{request}&X-Amz-Security-Token={signature * 8}&X-Amz-Signature={signature}")
elif (words[:2] == ["secretsmanager", "get-secret-value"]
      and (options["--query"], options["--output"]) == ("SecretString", "text")):
    with urllib.request.urlopen(f"{config['endpoint_url']}/{options['--secret-id']}") as answer:
        print(answer.read().decode())
else:
    sys.exit("unknown command")
