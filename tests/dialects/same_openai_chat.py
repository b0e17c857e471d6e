"""Requests for chat completions as they are written in the wild, each of which comes out as it came in."""

from __future__ import annotations

from tests.dialects.bad_openai_chat import CALL, USER, asked

PNG = "iVBORw0KGgo="
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}

SAME: dict[str, object] = {
    "everything that has one form": asked(
        temperature=0.5,
        top_p=0.9,
        seed=7,
        presence_penalty=1,
        frequency_penalty=-1,
        logprobs=True,
        top_logprobs=3,
        n=2,
        service_tier="flex",
        user="u",
        metadata={"a": "b"},
    ),
    "members nobody here knows": asked(logit_bias={"1": 2}, prompt_cache_key="k", store=None, min_p=0.1),
    "nulls": asked(
        temperature=None, tools=None, stop=None, stream=None, response_format=None, stream_options=None
    ),
    "the old name of a limit": asked(max_tokens=9),
    "the new name of a limit": asked(max_completion_tokens=9),
    "both names of a limit": asked(max_completion_tokens=9, max_tokens=8),
    "one stop sequence": asked(stop="x"),
    "a list of one": asked(stop=["x"]),
    "no stop sequences": asked(stop=[]),
    "no stream": asked(stream=False),
    "a stream": asked(stream=True),
    "a stream with usage": asked(stream=True, stream_options={"include_usage": True}),
    "options of a stream": asked(stream=True, stream_options={"include_usage": True, "x": 1}),
    "a stream without usage": asked(stream=True, stream_options={"include_usage": False}),
    "top_k, which OpenAI does not know": asked(top_k=5),
    "text in parts": asked({"role": "user", "content": [{"type": "text", "text": "hi"}]}),
    "no parts": asked({"role": "user", "content": []}),
    "empty words": asked({"role": "user", "content": ""}),
    "marks of the cache": asked(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}},
                IMAGE | {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "text", "text": "", "cache_control": {"type": "ephemeral", "ttl": None}},
                {"type": "text", "text": "", "cache_control": {"other": 1}},
            ],
        }
    ),
    "a name": asked(USER | {"name": "mina"}),
    "an image in a string": asked(
        {"role": "user", "content": [{"type": "image_url", "image_url": "https://example.com/a.png"}]}
    ),
    "images as they are": asked(
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": f"data:image/png;x=1;base64,{PNG}", "new": 1}},
                {"type": "image_url", "image_url": {"url": "data:text/plain,hi"}},
                {"type": "image_url", "image_url": {"url": f"data:;base64,{PNG}"}},
            ],
        }
    ),
    "sounds": asked(
        {
            "role": "user",
            "content": [
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": form}}
                for form in ("wav", "mp3", "mpeg", "flac")
            ]
            + [
                {"type": "input_audio", "input_audio": {"data": "UklGRg=="}},
                {"type": "input_audio", "input_audio": "UklGRg=="},
                {"type": "input_audio", "input_audio": "https://example.com/a.mp3"},
                {"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}},
            ],
        }
    ),
    "files": asked(
        {
            "role": "user",
            "content": [
                {"type": "file", "file": {"file_data": f"data:{kind};base64,{PNG}", "filename": "a"}}
                for kind in ("application/pdf", "image/png")
            ]
            + [
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "file", "file": {"file_id": "file-1", "file_data": "https://example.com/a.pdf"}},
                {"type": "document_url", "document_url": "https://example.com/a.pdf"},
                {"type": "file_url", "file_url": {"url": "UEsDBA=="}},
                {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
            ],
        }
    ),
    "a part nobody knows": asked({"role": "user", "content": [{"type": "hologram", "hologram": {}}]}),
    "an assistant that says nothing": asked(USER, {"role": "assistant"}),
    "an assistant that says null": asked(USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}),
    "an assistant with empty words": asked(USER, {"role": "assistant", "content": "", "tool_calls": [CALL]}),
    "an assistant with calls alone": asked(USER, {"role": "assistant", "tool_calls": [CALL]}, RESULT),
    "an assistant with no calls": asked(USER, {"role": "assistant", "content": "a", "tool_calls": []}),
    "a refusal": asked(USER, {"role": "assistant", "content": None, "refusal": "no"}),
    "a refusal in a part": asked(
        USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    ),
    "citations": asked(
        USER,
        {
            "role": "assistant",
            "content": "abc",
            "annotations": [
                {
                    "type": "url_citation",
                    "url_citation": {"url": "u", "title": "t", "start_index": 1, "end_index": 2},
                }
            ],
        },
    ),
    "annotations nobody knows": asked(
        USER, {"role": "assistant", "content": "abc", "annotations": [{"type": "file", "file": {}}]}
    ),
    "a spoken answer by its id": asked(USER, {"role": "assistant", "audio": {"id": "audio_1"}}),
    "a painted answer": asked(
        USER, {"role": "assistant", "content": "", "images": [IMAGE | {"index": 0}, {"type": "new"}]}
    ),
    "a call of a custom tool": asked(
        USER,
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "call_1", "type": "custom", "custom": {"name": "f", "input": "free words"}}
            ],
        },
        RESULT,
    ),
    "calls in odd forms": asked(
        USER,
        {
            "role": "assistant",
            "tool_calls": [
                {"index": 0, **CALL},
                {"id": "", "function": {"name": "f", "arguments": {"a": 1}}},
                {"type": None, "id": None, "function": {"name": "f", "arguments": "", "new": 1}},
                {"function": {"name": "f"}},
                {"function": {"name": "f", "arguments": None}},
                {"id": "call_9", "type": "new", "new": {}},
                CALL | {"extra_content": {"google": {"thought_signature": "sig"}}},
                CALL | {"extra_content": {"google": {"thought_signature": "sig", "new": 1}}},
            ],
        },
    ),
    "a result with a name": asked(USER, RESULT | {"name": "f"}),
    "a result in parts": asked(USER, RESULT | {"content": [{"type": "text", "text": "a"}, IMAGE]}),
    "an empty result": asked(USER, RESULT | {"content": ""}),
    "functions of old": asked(
        USER,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}", "new": 1}},
        {"role": "function", "name": "f", "content": "ok"},
        functions=[{"name": "f", "description": "d", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    ),
    "functions by themselves": asked(functions=[{"name": "f"}], function_call="auto"),
    "tools": asked(
        tools=[
            {
                "type": "function",
                "function": {"name": "f", "strict": True, "description": "d", "parameters": {}},
            },
            {
                "type": "function",
                "function": {"name": "g", "strict": None},
                "cache_control": {"type": "ephemeral"},
            },
            {"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}},
            {"type": "openrouter:web_search"},
        ],
        tool_choice="required",
        parallel_tool_calls=False,
    ),
    "no tools": asked(tools=[]),
    "a tool named": asked(tool_choice={"type": "function", "function": {"name": "f", "new": 1}}),
    "any tool, in Mistral's word": asked(tool_choice="any"),
    "some tools": asked(
        tool_choice={
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
        }
    ),
    "some tools or none": asked(
        tool_choice={"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}
    ),
    "a custom tool chosen": asked(tool_choice={"type": "custom", "custom": {"name": "c"}}),
    "thoughts as DeepSeek shows them": asked(
        USER, {"role": "assistant", "content": "a", "reasoning_content": "hm"}, USER
    ),
    "thoughts as Groq shows them": asked(USER, {"role": "assistant", "content": "a", "reasoning": "hm"}),
    "thoughts in both": asked(
        USER, {"role": "assistant", "content": "a", "reasoning": "hm", "reasoning_content": "hm"}
    ),
    "two different thoughts": asked(
        USER, {"role": "assistant", "content": "a", "reasoning": "hm", "reasoning_content": "so"}
    ),
    "no thoughts": asked(USER, {"role": "assistant", "content": "a", "reasoning_content": ""}),
    "thoughts as Mistral shows them": asked(
        USER,
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True},
                {
                    "type": "thinking",
                    "thinking": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                },
                {"type": "text", "text": "144"},
            ],
        },
    ),
    "thoughts as OpenRouter signs them": asked(
        USER,
        {
            "role": "assistant",
            "content": "",
            "reasoning": "hmso",
            "reasoning_details": [
                {"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "x", "index": 0},
                {"type": "reasoning.summary", "summary": "so", "id": "rs_1", "index": 7},
                {"type": "reasoning.encrypted", "data": "xyz", "id": None},
                {"type": "reasoning.text", "text": None, "signature": None},
                {"type": "reasoning.text", "signature": "sig2"},
                {"type": "reasoning.new", "new": 1},
                {"type": "reasoning.encrypted"},
            ],
            "tool_calls": [CALL],
        },
    ),
    "effort": asked(reasoning_effort="high"),
    "no effort": asked(reasoning_effort="none"),
    "thinking": asked(thinking={"type": "enabled", "budget_tokens": 2000, "new": 1}, reasoning_effort="high"),
    "no thinking": asked(thinking={"type": "disabled"}),
    "Qwen's thinking": asked(enable_thinking=False),
    "contradictions": asked(enable_thinking=True, reasoning_effort="none", thinking={"type": "new"}),
    "OpenRouter's thinking": asked(
        reasoning={"effort": "low", "max_tokens": 2000, "exclude": True, "enabled": True, "new": 1}
    ),
    "OpenRouter's other thinking": asked(reasoning={"effort": "none", "exclude": False}),
    "nothing about thinking": asked(reasoning={}),
    "a text format": asked(response_format={"type": "text"}),
    "a JSON format": asked(response_format={"type": "json_object", "new": 1}),
    "a schema": asked(
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "a", "description": "d", "schema": {}, "strict": True, "new": 1},
        }
    ),
    "a schema without a name": asked(response_format={"type": "json_schema", "json_schema": {"schema": {}}}),
    "a format nobody knows": asked(response_format={"type": "grammar", "grammar": "x"}),
}
