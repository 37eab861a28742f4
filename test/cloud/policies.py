"""What MiniStack's IAM says otherwise than AWS of a request, where policies are enforced. Listed in docs/fidelity.md.

* aws:SecureTransport: the emulator stands behind a TLS front, so that bucket policies stay as they were deployed. No TLS
  is spoken; a request that says itself that it came by plain http (x-forwarded-proto) is taken at its word.
* aws:PrincipalArn of a session is its role's ARN, as AWS documents it, not the session's.
"""

import os
import re

from ministack.core import iam_evaluator

SESSION = re.compile(r"arn:(aws[^:]*):sts::(\d+):assumed-role/([^/]+)/.+")


def add_tls_front():
    import ministack.app

    serve = ministack.app.app

    async def app(scope, receive, send):
        if scope["type"] == "http" and all(name.lower() != b"x-forwarded-proto" for name, _ in scope["headers"]):
            scope = {**scope, "headers": [*scope["headers"], (b"x-forwarded-proto", b"https")]}
        await serve(scope, receive, send)

    ministack.app.app = app


def add_role_of_session():
    resolve = iam_evaluator._resolve_condition_key

    def resolve_key(key, ctx):
        value = resolve(key, ctx)
        session = SESSION.fullmatch(value) if key.lower() == "aws:principalarn" and isinstance(value, str) else None
        # Roles with a path would need a look at the role: ours have none.
        return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else value

    iam_evaluator._resolve_condition_key = resolve_key


def mend_policies():
    if os.environ.get("AUTH") == "true":
        add_tls_front()
        add_role_of_session()
