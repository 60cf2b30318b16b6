"""The two ways to run a conversation: waiting, or leaving the event loop free. They differ in nothing else."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

from .conversations import Conversation, Sleep
from .transport import AsyncTransport, Transport, TransportError

T = TypeVar("T")


def run(conversation: Conversation[T], transport: Transport) -> T:
    """Runs a conversation to its end.

    Args:
        conversation: What to say.
        transport: To whom.

    Raises:
        TransportError: The server did not answer.
        ServiceError: It said no.
    """
    try:
        step = next(conversation)
        while True:
            if isinstance(step, Sleep):
                time.sleep(step.seconds)
                step = conversation.send(None)
                continue
            try:
                response = transport.send(step)
            except TransportError as error:
                step = conversation.throw(error)
            else:
                step = conversation.send(response)
    except StopIteration as end:
        result: T = end.value
        return result


async def arun(conversation: Conversation[T], transport: AsyncTransport) -> T:
    """Runs a conversation to its end without holding up the event loop.

    Args:
        conversation: What to say.
        transport: To whom.

    Raises:
        TransportError: The server did not answer.
        ServiceError: It said no.
    """
    try:
        step = next(conversation)
        while True:
            if isinstance(step, Sleep):
                await asyncio.sleep(step.seconds)
                step = conversation.send(None)
                continue
            try:
                response = await transport.send(step)
            except TransportError as error:
                step = conversation.throw(error)
            else:
                step = conversation.send(response)
    except StopIteration as end:
        result: T = end.value
        return result
