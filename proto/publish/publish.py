"""Writes everything that is published of the contracts. Called by proto/publish/run.

    publish.py IMAGE VERSION FOLDER

IMAGE is what `buf build -o IMAGE#format=json` wrote.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from contracts import Contracts
from openapi import openapi
from reference import pages
from service_config import service_config


def main(image: str, version: str, folder: str) -> None:
    contracts, into = Contracts(Path(image)), Path(folder)
    into.mkdir(parents=True)
    for name, document in (("grpc_service_config.json", service_config(contracts)), ("openapi.json", openapi(contracts, version))):
        (into / name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    for name, page in pages(contracts).items():
        (into / name).write_text(page)


if __name__ == "__main__":
    main(*sys.argv[1:])
