"""Instructor, around each of the SDKs and in its usual modes, as its documentation shows it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

import anthropic
import instructor
import openai
from google import genai
from google.genai import errors, types
from instructor.core import InstructorRetryException
from instructor.processing.multimodal import Image
from pydantic import BaseModel, Field, field_validator

from tests.clients.programs.run import Task, raised, run
from tests.clients.programs.said import AS_JSON, CITY, LIST_AS_JSON, PICTURE, SYSTEM


class City(BaseModel):
    """A city."""

    name: str
    people: int = Field(description="How many live there.")
    rivers: list[str]


def client(task: Task, name: str) -> Any:
    """Instructor around the cell's SDK, in its mode."""
    return _made(task.cell.client, task.house.root, task.house.key, name)


@cache
def _made(client: str, root: str, key: str, name: str) -> Any:
    entry, _, word = client.partition(".")
    mode = instructor.Mode[word]
    told: dict[str, Any] = {"api_key": key, "max_retries": 0}
    match entry:
        case "from_openai":
            sdk: Any = openai.OpenAI(**told, base_url=f"{root}/v1")
            return instructor.from_openai(sdk, mode=mode, model=name)
        case "from_anthropic":
            sdk = anthropic.Anthropic(**told, base_url=root)
            return instructor.from_anthropic(sdk, mode=mode, model=name, max_tokens=4096)
        case "from_genai":
            sdk = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=root))
            return instructor.from_genai(sdk, mode=mode, model=name)
        case "from_provider":
            return instructor.from_provider(f"openai/{name}", mode=mode, **told, base_url=f"{root}/v1")
    raise LookupError(client)


PROMPTED = ("from_openai.JSON", "from_anthropic.JSON")
"""Where the model is only told of the schema, and not held to it."""


def talk(task: Task, *more: Any, form: str = AS_JSON) -> list[dict[str, Any]]:
    asked = task.say(f"{CITY} {form}" if task.cell.client in PROMPTED else CITY)
    user = {"role": "user", "content": [asked, *more] if more else asked}
    return [{"role": "system", "content": SYSTEM}, user]


def structured(task: Task) -> None:
    said = client(task, task.cell.models.plain).create(response_model=City, messages=talk(task))
    assert isinstance(said, City), said


def partial(task: Task) -> None:
    asked = client(task, task.cell.models.plain)
    pieces = list(asked.create_partial(response_model=City, messages=talk(task)))
    whole = City.model_validate(pieces[-1].model_dump())
    assert whole.name, pieces


def iterable(task: Task) -> None:
    asked = client(task, task.cell.models.plain)
    found = list(asked.create_iterable(response_model=City, messages=talk(task, form=LIST_AS_JSON)))
    assert found, found
    assert all(isinstance(city, City) for city in found), found


def asked_again(task: Task) -> None:
    """What does not hold is sent back with what is wrong with it, once."""
    _ask_again(client(task, task.cell.models.plain), task)


def _ask_again(asked: Any, task: Task, **wishes: Any) -> None:
    seen: list[str] = []

    class Doubted(City):
        """A city, to be named twice."""

        @field_validator("name")
        @classmethod
        def is_doubted(cls, name: str) -> str:
            seen.append(name)
            if len(seen) == 1:
                raise ValueError("is that so?")
            return name

    said = asked.create(response_model=Doubted, messages=talk(task), max_retries=2, **wishes)
    assert isinstance(said, City), said
    assert len(seen) == 2, seen


def thinking(task: Task) -> None:
    wishes: dict[str, dict[str, Any]] = {
        "from_openai.TOOLS": {"reasoning_effort": "low"},
        "from_openai.RESPONSES_TOOLS": {"reasoning": {"effort": "low"}},
        "from_anthropic.TOOLS": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        "from_genai.TOOLS": {"thinking_config": types.ThinkingConfig(include_thoughts=True)},
    }
    _ask_again(client(task, task.cell.models.thinking), task, **wishes[task.cell.client])


def image(task: Task) -> None:
    picture = Image.from_base64(f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}")
    asked = talk(task, picture)
    assert isinstance(client(task, task.cell.models.plain).create(response_model=City, messages=asked), City)


NOT_FOUND = (InstructorRetryException, openai.NotFoundError, anthropic.NotFoundError, errors.ClientError)


def unknown_model(task: Task) -> None:
    model, asked = client(task, task.cell.nobody), talk(task)
    told = raised(NOT_FOUND, lambda: model.create(response_model=City, messages=asked, max_retries=1))
    assert task.cell.nobody in told, told
    assert "404" in told, told


if __name__ == "__main__":
    scenarios: tuple[Callable[[Task], None], ...] = (
        *(structured, partial, iterable, asked_again, thinking, image, unknown_model),
    )
    run("instructor", {scenario.__name__: scenario for scenario in scenarios})
