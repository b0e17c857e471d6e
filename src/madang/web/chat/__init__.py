"""The chat page: a form that works without JavaScript, and streams with it."""

from madang.web.chat.backend import Backend, Message, ModelChoice, Piece
from madang.web.chat.pages import chat_routes

__all__ = ["Backend", "Message", "ModelChoice", "Piece", "chat_routes"]
