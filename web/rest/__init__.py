"""The REST API of accounts, channels, chat, tokens and the commands door: a file a resource.

Owns paths and methods together; refuses to hold any rule of what they do.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from web.rest import auth, channels, chat, commands, meta, tokens, users


def api_routes() -> list[BaseRoute]:
    """Every route under /api."""
    return [
        *auth.routes,
        *users.routes,
        *channels.routes,
        *chat.routes,
        *tokens.routes,
        *commands.routes,
        *meta.routes,
    ]
