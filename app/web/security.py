"""What holds for every request and answer: bodies are read whole or refused, headers close doors, private pages stay private."""

from flask import Flask, request
from flask.wrappers import Response

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
A_YEAR = 31_536_000
A_DAY = 86_400


def install(app: Flask, *, https: bool) -> None:
    """To be called before anything else that reads requests."""

    @app.before_request
    def read_to_the_end() -> None:
        """Werkzeug cuts a form of untold length at the limit, without a word: one byte more makes it say 413."""
        if request.content_length is None and request.mimetype != "multipart/form-data":
            request.get_data()
            request.stream.read(1)

    @app.after_request
    def close_doors(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if https:
            headers["Strict-Transport-Security"] = f"max-age={A_YEAR}; includeSubDomains"
        if request.endpoint == "evidence.thumbnail" and "v" in request.args and response.status_code in (200, 304):
            headers["Cache-Control"] = f"private, max-age={A_DAY}, immutable"
        elif request.endpoint != "static":
            headers["Cache-Control"] = "no-store"
        return response
