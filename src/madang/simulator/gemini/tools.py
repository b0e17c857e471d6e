"""`tools` and `toolConfig`: what the model may call, and whether it has to."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from madang.simulator.gemini.errors import invalid
from madang.simulator.gemini.families import Family
from madang.simulator.gemini.fields import Fields
from madang.simulator.gemini.schemas import read_schema
from madang.simulator.vocabulary import Tool

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}")
_BAD_NAME = (
    "* GenerateContentRequest.{where}.name: Invalid function name. Must start with a letter or an "
    "underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), "
    "with a maximum length of 128.\n"
)
_OF_FUNCTION = (
    *("name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"),
    "behavior",
)
GOOGLES: Final = (
    *("googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "googleMaps", "fileSearch"),
    *("computerUse", "retrieval", "enterpriseWebSearch"),
)
"""Tools that Google runs itself."""
_MODES = ("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED")


class Offer(msgspec.Struct, frozen=True):
    """The tools on offer."""

    tools: tuple[Tool, ...] = ()
    served: frozenset[str] = frozenset()
    """Those that Google runs itself, such as `googleSearch`."""


def read_tools(request: Fields, family: Family) -> Offer:
    """The tools. Raises ApiError."""
    tools: list[Tool] = []
    served: set[str] = set()
    for entry in request.objects("tools"):
        entry.refuse_unknown(("functionDeclarations", *GOOGLES))
        tools += [_function(function) for function in entry.objects("functionDeclarations")]
        served.update(name for name in entry.names() if name in GOOGLES)
    names = [tool.name for tool in tools]
    for name in names:
        if names.count(name) > 1:
            invalid(f"Duplicate function declaration found: {name}")
    if tools and served and not family.mixes_tools:
        invalid("Tool use with function calling is unsupported")
    return Offer(tuple(tools), frozenset(served))


def _function(function: Fields) -> Tool:
    function.refuse_unknown(_OF_FUNCTION)
    name = function.text("name") or ""
    if not _NAME.fullmatch(name):
        invalid(_BAD_NAME.format(where=function.where))
    parameters = function.section("parameters")
    as_schema = function.mapping("parametersJsonSchema")
    if parameters is not None and as_schema is not None:
        invalid(f"Only one of parameters or parameters_json_schema may be set for function {name}.")
    schema = read_schema(parameters) if parameters is not None else as_schema
    return Tool(name, function.text("description") or "", schema or {"type": "object", "properties": {}})


def read_choice(request: Fields, offer: Offer) -> tuple[str, tuple[Tool, ...]]:
    """Whether tools have to be called, and which may be. Raises ApiError."""
    config = request.section("toolConfig")
    if config is None:
        return "auto", offer.tools
    config.refuse_unknown(("functionCallingConfig", "retrievalConfig", "includeServerSideToolInvocations"))
    calling = config.section("functionCallingConfig")
    if calling is None:
        return "auto", offer.tools
    calling.refuse_unknown(("mode", "allowedFunctionNames", "streamFunctionCallArguments"))
    mode = calling.one_of("mode", _MODES) or "AUTO"
    if not offer.tools:
        if mode in ("ANY", "VALIDATED"):
            invalid("Function calling config is set without function_declarations.")
        return "none" if mode == "NONE" else "auto", ()
    allowed = calling.texts("allowedFunctionNames")
    if allowed and mode not in ("ANY", "VALIDATED"):
        invalid("Function calling config mode should be ANY or VALIDATED if allowed_function_names is set.")
    known = {tool.name for tool in offer.tools}
    if unknown := [name for name in allowed if name not in known]:
        invalid(f"allowed_function_names contains a function that is not declared: {unknown[0]}")
    tools = tuple(tool for tool in offer.tools if not allowed or tool.name in allowed)
    return {"ANY": "required", "NONE": "none"}.get(mode, "auto"), tools
