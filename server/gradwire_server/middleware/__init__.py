"""What happens to every request, one concept a module, all in plain ASGI.

From the outside inwards: request id, access log, metrics, CORS, errors, API keys, requests in flight, all bodies, body limit.
Whatever raises stands inside ``errors``, and what must see every answer stands outside it.
"""

from __future__ import annotations
