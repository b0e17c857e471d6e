"""Images and documents, from the user and from tools; what a provider cannot be told is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from google.genai import types

from madang.simulator import Simulator
from tests.sdks import claude, responses
from tests.sdks.conftest import Provider
from tests.sdks.talk import WEATHER, Call, Client, Document, Picture, Talk, Wishes

# A red pixel, and a document of one blank page.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
PAGE = (
    b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
TOOLS = Wishes(tools=(WEATHER,))


def heard(simulator: Simulator) -> bytes:
    """The last request, in the standard alphabet of base64: Google's SDK writes in the other one."""
    return simulator.requests[-1].body.replace(b"-", b"+").replace(b"_", b"/")


def test_an_image_arrives_as_the_same_bytes(client: Client, provider: Provider, simulator: Simulator) -> None:
    talk = client.user("What is in this picture?", Picture(PIXEL))
    said = client.ask(provider.model(provider.plain), talk)
    assert said.text.startswith("Attachments received: 1")
    assert base64.b64encode(PIXEL) in heard(simulator)


def test_a_document_arrives_as_the_same_bytes(
    client: Client, provider: Provider, simulator: Simulator
) -> None:
    talk = client.user(Document(PAGE), "What does the lease say?")
    said = client.ask(provider.model(provider.plain), talk)
    assert said.text.startswith("Attachments received: 1")
    assert base64.b64encode(PAGE) in heard(simulator)


def shown(client: Client, call: Call) -> Talk:
    """A tool's result that holds a picture."""
    picture = Picture(PIXEL)
    match client.dialect:
        case "openai_responses":
            output = [{"type": "input_text", "text": "A photo:"}, responses.image(picture)]
            return [{"type": "function_call_output", "call_id": call.id, "output": output}]
        case "anthropic":
            content = [{"type": "text", "text": "A photo:"}, claude.image(picture)]
            result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call.id, "content": content}
            return [{"role": "user", "content": [result]}]
        case _:
            blob = types.FunctionResponseBlob(mime_type=picture.media_type, data=picture.data)
            part = types.FunctionResponse(
                id=call.id or None,
                name=call.name,
                response={"result": "A photo:"},
                parts=[types.FunctionResponsePart(inline_data=blob)],
            )
            return [types.Content(role="user", parts=[types.Part(function_response=part)])]


@pytest.mark.parametrize("client", ["openai_responses", "anthropic", "gemini"], indirect=True)
def test_an_image_in_a_tools_result_arrives(client: Client, provider: Provider, simulator: Simulator) -> None:
    """A chat completion's tool answers in words alone: its SDK has no way to say it, and its provider is
    told in a message of the user's that follows."""
    model, talk = provider.model(provider.thinking[-1]), client.user("Show me the weather in Seoul.")
    called = client.ask(model, talk, TOOLS)
    talk += [*called.turn, *shown(client, called.calls[0])]
    said = client.ask(model, talk, Wishes(tools=(WEATHER,), choice="none"))
    assert "Attachments received: 1" in said.text
    assert provider.dialect == "openai_chat" or said.text.startswith("The result of weather is: ")
    assert b"A photo:" in heard(simulator)
    assert base64.b64encode(PIXEL) in heard(simulator)


SOUND = {"type": "input_audio", "input_audio": {"data": base64.b64encode(b"RIFF").decode(), "format": "wav"}}


@pytest.mark.parametrize("client", ["openai_chat"], indirect=True)
def test_a_sound_goes_to_those_who_can_hear(client: Client, provider: Provider) -> None:
    model, talk = provider.model(provider.plain), [{"role": "user", "content": [SOUND]}]
    if provider.dialect in ("openai_responses", "anthropic"):
        with pytest.raises(client.errors[400], match=r"it uses 'audio.data', and"):
            client.ask(model, talk)
    else:
        assert "Attachments received: 1" in client.ask(model, talk).text


@pytest.mark.parametrize("client", ["gemini"], indirect=True)
def test_a_film_goes_to_gemini_alone(client: Client, provider: Provider) -> None:
    film = types.Part.from_bytes(data=b"film", mime_type="video/mp4")
    model, talk = provider.model(provider.plain), [types.Content(role="user", parts=[film])]
    if provider.dialect != "gemini":
        with pytest.raises(client.errors[400], match=r"it uses 'video.data', and"):
            client.ask(model, talk)
    else:
        assert "Attachments received: 1" in client.ask(model, talk).text
