"""A fork server: a process that imports the handler once and forks a child for each invocation.

For each invocation the server

1. reads one JSON line, {"environment", "body", "seconds"}, forks, and prints the child's process id,
2. waits for another line, and then lets the child run `lambda_handler` on the message,
3. prints the child's exit status, which is negative for a signal.

A test can kill the child. Importing the handler takes a second, which forking saves for every invocation.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from handler import app
from tests.handler.world import Context


def invoke(job: dict[str, Any]) -> None:
    """Run one invocation and exit: status 0 if the message is done, 1 if it failed."""
    os.environ.update(job["environment"])
    record = {
        "messageId": "m",
        "receiptHandle": "none",
        "body": job["body"],
        "attributes": {"ApproximateReceiveCount": "1"},
    }
    response = app.lambda_handler({"Records": [record]}, Context(job["seconds"]))
    sys.stdout.flush()
    os._exit(1 if response["batchItemFailures"] else 0)


def main() -> None:
    """Handle jobs until standard input is closed."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # functions print to standard error, because standard output carries the replies
    for line in sys.stdin:
        go, ready = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(ready)
            os.read(go, 1)
            try:
                invoke(json.loads(line))
            finally:
                os._exit(2)
        os.close(go)
        print(pid, file=replies, flush=True)
        sys.stdin.readline()
        os.write(ready, b"g")
        os.close(ready)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), file=replies, flush=True)


if __name__ == "__main__":
    main()
