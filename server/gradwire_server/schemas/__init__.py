"""The shapes of requests and answers, as the OpenAPI document shows them.

They document and never validate: a large tensor would spend more time in validation than in computing. The services check what they
are given, and tests hold them against these models.
"""

from __future__ import annotations
