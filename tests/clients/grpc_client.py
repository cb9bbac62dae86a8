"""gRPC as an independent client uses it: the official library for Python.

    grpc_client.py SERVER ISSUER

SERVER is the host and port of the example axum-grpc, ISSUER the URL of its local tenant. `.ci/grpc` starts them.
"""
import json
import sys
import urllib.request

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

server, issuer = sys.argv[1:]


def token(**description):
    request = urllib.request.Request(
        f"{issuer}__local/token",
        data=json.dumps(description).encode(),
        headers={"accept": "text/plain", "content-type": "application/json"},
    )
    return urllib.request.urlopen(request).read().decode().strip()


channel = grpc.insecure_channel(server)
health = health_pb2_grpc.HealthStub(channel)
message = health_pb2.HealthCheckRequest()


def call(method, authorization):
    metadata = [("authorization", authorization)] if authorization else []
    if method == "Check":
        return health.Check(message, metadata=metadata, timeout=10)
    stream = health.Watch(message, metadata=metadata, timeout=10)
    first = next(stream)
    stream.cancel()
    return first


UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
missing = "No access token was sent. Send one in the Authorization header, after a scheme that the challenge names."
rows = [
    ("Check", "", UNAUTHENTICATED, "token_missing", missing, 'DPoP algs="ES256"'),
    ("Check", "Bearer x", UNAUTHENTICATED, "token_malformed", "The access token is not a well-formed JSON Web Token.", 'error="invalid_token"'),
    ("Check", f"Bearer {token()}", None, "", "", ""),
    ("Watch", f"Bearer {token()}", grpc.StatusCode.PERMISSION_DENIED, "insufficient_scope", "The access token is missing a required scope.", 'scope="read:messages"'),
    ("Watch", f"Bearer {token(scope='read:messages')}", None, "", "", ""),
]
for method, authorization, code, error_code, details, challenge in rows:
    try:
        call(method, authorization)
        seen = None
    except grpc.RpcError as error:
        seen = error
    if code is None:
        assert seen is None, seen
        continue
    assert seen is not None and seen.code() == code, seen
    assert seen.details() == details, seen.details()
    # Of a call for one answer, the metadata of the status is there at once.
    metadata = list(seen.trailing_metadata() or []) + list(seen.initial_metadata() or [])
    assert ("error-code", error_code) in metadata, metadata
    assert any(name == "www-authenticate" and challenge in value for name, value in metadata), metadata
print(f"grpc_client.py: {len(rows)} passed")
