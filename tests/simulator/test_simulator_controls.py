"""What a single request can ask for: read from its model's name and its header, and done."""

from __future__ import annotations

import pytest

from madang.simulator import Controls, Options
from madang.simulator.controls import CONTROLS, NONE, UnknownControl, read_header, read_model
from madang.simulator.dice import Dice
from madang.simulator.latency import Fixed
from madang.simulator.options import by_chance, parse_error_rates, parse_fault_rates
from madang.simulator.plan import End
from tests.simulator.desk import Desk, answer_of, chat_of, events_of, headers_of, sent, unchunked


@pytest.mark.parametrize(
    ("model", "controls"),
    [
        ("gpt-4o", NONE),
        ("sim-error-429", Controls(error=429)),
        ("sim-slow-2000ms", Controls(delay=2.0)),
        ("sim-cut-after-3", Controls(cut_after=3)),
        ("sim-tokens-500+pace-20ms", Controls(tokens=500, pace=0.02)),
        ("sim-error-429+error-code-insufficient_quota", Controls(error=429, error_code="insufficient_quota")),
        ("sim-content-type-text/html", Controls(content_type="text/html")),
        ("sim-shred", Controls(shred=True)),
        ("sim-shred-0", Controls(shred=False)),
        ("sim-tps-50", Controls(pace=0.02)),
    ],
)
def test_a_model_name_says_what_is_wanted(model: str, controls: Controls) -> None:
    assert read_model(model) == controls


def test_a_header_says_what_is_wanted() -> None:
    assert read_header(" error=429; retry-after=2;") == Controls(error=429, retry_after=2.0)
    assert read_header("shred; cut-after = 3") == Controls(shred=True, cut_after=3)


@pytest.mark.parametrize(
    "header",
    [
        "eror=429",
        "error",
        "error=200",
        "error=٤٢٩",
        "tokens=-1",
        "tokens=1.5",
        "tokens=99999999",
        "pace=20",
        "tps=0",
        "tps=nan",
        "shred=maybe",
        "ping=0",
        "retry-after=-1",
        "retry-after=inf",
        "content-type=",
        "delay=9h",
        "=3",
        "finish=\x07",
        "cut-after=x",
    ],
)
def test_a_wrong_control_is_refused_with_a_sentence(header: str) -> None:
    with pytest.raises(UnknownControl, match=r"for example|Known controls"):
        read_header(header)


def test_a_wrong_control_in_a_request_is_a_400_that_suggests() -> None:
    plan = Desk().plan(chat_of(), x_simulate="cut-aftr=3")
    error = answer_of(plan)["error"]
    assert plan.status == 400
    assert error["param"] == "x-simulate"
    assert "Did you mean 'cut-after'?" in error["message"]
    assert all(control.name in error["message"] for control in CONTROLS)


def test_every_control_sets_a_field_and_takes_its_own_example() -> None:
    for control in CONTROLS:
        assert control.field in Controls.__struct_fields__
        assert read_header(f"{control.name}={control.takes}") != NONE
        assert (
            read_model(f"sim-{control.name}-{control.takes}" if control.takes else f"sim-{control.name}")
            != NONE
        )
    assert {control.field for control in CONTROLS} == set(Controls.__struct_fields__)


def test_the_header_goes_before_the_model_name(desk: Desk) -> None:
    assert desk.plan(chat_of(model="sim-error-500"), x_simulate="error=429").status == 429


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", None),
        (401, "invalid_request_error", "invalid_api_key"),
        (404, "invalid_request_error", "model_not_found"),
        (429, "requests", "rate_limit_exceeded"),
        (500, "server_error", None),
        (502, "cf_bad_gateway", 502),
        (503, "server_error", "service_unavailable"),
        (418, "invalid_request_error", None),
        (529, "server_error", None),
    ],
)
def test_any_error_can_be_asked_for(desk: Desk, status: int, kind: str, code: object) -> None:
    plan = desk.plan(chat_of(model=f"sim-error-{status}"))
    error = answer_of(plan)["error"]
    assert plan.status == status
    assert (error["type"], error["code"]) == (kind, code)
    assert "{" not in error["message"]


def test_an_error_says_when_to_come_back_if_asked(desk: Desk) -> None:
    headers = headers_of(desk.plan(chat_of(), x_simulate="error=429; retry-after=1.5"))
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1500")
    assert "retry-after" not in headers_of(desk.plan(chat_of(), x_simulate="error=429"))


def test_the_answer_has_exactly_the_tokens_asked_for(desk: Desk) -> None:
    for wanted in (0, 1, 500):
        assert desk.chat(model=f"sim-tokens-{wanted}")["usage"]["completion_tokens"] == wanted
    assert desk.chat("안녕 world", model="sim-echo")["choices"][0]["message"]["content"] == "안녕 world"


def test_more_than_a_million_tokens_are_refused(desk: Desk) -> None:
    assert desk.plan(chat_of(model="sim-tokens-1000001")).status == 400
    assert desk.plan(chat_of(model="sim-tokens-500000", n=3)).status == 400


def test_a_stream_keeps_its_pace_and_a_whole_answer_waits_as_long() -> None:
    body = chat_of(model="sim-tokens-4", stream=True)
    streamed = Desk(Options(pace=0.02, latency=Fixed(0.3))).plan(body, x_simulate="first-token=100ms")
    assert [step.delay for step in streamed.steps] == [0.3, 0.1, 0.02, 0.02, 0.02, 0.02, 0, 0, 0]
    whole = Desk(Options(pace=0.02, latency=Fixed(0.3))).plan({**body, "stream": False})
    assert sum(step.delay for step in whole.steps) == pytest.approx(0.3 + 4 * 0.02)
    assert headers_of(whole)["openai-processing-ms"] == "380"


def test_a_delay_goes_in_place_of_the_latency() -> None:
    desk = Desk(Options(latency=Fixed(5.0)))
    assert desk.plan(chat_of(model="sim-slow-200ms")).steps[0].delay == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("control", "end", "fault"),
    [("hangup", End.CLOSE, "hangup"), ("reset", End.RESET, "reset"), ("stall", End.HOLD, "stall")],
)
def test_before_the_head_not_a_byte_is_sent(desk: Desk, control: str, end: End, fault: str) -> None:
    plan = desk.plan(chat_of(), x_simulate=f"{control}; delay=1s")
    assert (sent(plan), plan.end, plan.fault) == (b"", end, fault)
    assert plan.steps[0].delay == 1.0


def test_half_a_head_is_half_a_head(desk: Desk) -> None:
    plan = desk.plan(chat_of(), x_simulate="half-head")
    assert sent(plan).startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in sent(plan)


@pytest.mark.parametrize(("control", "end"), [("cut", End.CLOSE), ("reset", End.RESET), ("stall", End.HOLD)])
def test_a_stream_breaks_off_after_so_many_events(desk: Desk, control: str, end: End) -> None:
    plan = desk.plan(chat_of(stream=True), x_simulate=f"{control}-after=3")
    body = sent(plan).partition(b"\r\n\r\n")[2]
    assert body.count(b"data: ") == 3
    assert not body.endswith(b"0\r\n\r\n")
    assert plan.end is end
    none = desk.plan(chat_of(stream=True), x_simulate=f"{control}-after=0")
    assert sent(none).endswith(b"\r\n\r\n")


def test_a_whole_body_breaks_off_after_so_many_bytes(desk: Desk) -> None:
    plan = desk.plan(chat_of(), x_simulate="cut-after=10")
    assert len(sent(plan).partition(b"\r\n\r\n")[2]) == 10
    assert int(headers_of(plan)["content-length"]) > 10


def test_a_truncated_body_is_half_of_what_was_promised(desk: Desk) -> None:
    plan = desk.plan(chat_of(), x_simulate="truncate")
    body = sent(plan).partition(b"\r\n\r\n")[2]
    assert len(body) == int(headers_of(plan)["content-length"]) // 2


def test_garbage_breaks_the_framing_after_good_events(desk: Desk) -> None:
    plan = desk.plan(chat_of(stream=True), x_simulate="garbage-after=2")
    body = sent(plan).partition(b"\r\n\r\n")[2]
    assert body.count(b"data: ") == 2
    with pytest.raises(ValueError, match="invalid literal"):
        unchunked(body)


def test_broken_json_is_one_event_and_the_stream_goes_on(desk: Desk) -> None:
    plan = desk.plan(chat_of(stream=True), x_simulate="bad-json-after=2")
    lines = unchunked(sent(plan).partition(b"\r\n\r\n")[2]).split(b"\n\n")
    assert lines[2] == b'data: {"id":"chatcmpl-'
    assert lines[-2] == b"data: [DONE]"
    assert plan.end is End.KEEP


def test_an_error_event_ends_a_well_formed_stream(desk: Desk) -> None:
    plan = desk.plan(chat_of(stream=True), x_simulate="error-after=2")
    events = events_of(plan)
    assert len(events) == 3
    assert events[-1]["error"]["type"] == "server_error"
    assert desk.plan(chat_of(), x_simulate="error-after=2").status == 500


def test_a_shredded_stream_is_the_same_stream_in_single_bytes() -> None:
    plain, shredded = (
        Desk(Options(frozen_time=True, shred=shred)).plan(chat_of("마당?", stream=True))
        for shred in (False, True)
    )
    _, _, body = sent(shredded).partition(b"\r\n\r\n")
    assert unchunked(body) == unchunked(sent(plain).partition(b"\r\n\r\n")[2])
    assert all(step.apart and len(step.data) == len(b"1\r\nx\r\n") for step in shredded.steps[1:-1])
    assert "마".encode() in unchunked(body)


def test_crlf_and_pings_change_the_lines_and_not_the_events(desk: Desk) -> None:
    plan = desk.plan(chat_of(stream=True), x_simulate="crlf; ping=1")
    text = unchunked(sent(plan).partition(b"\r\n\r\n")[2])
    assert b"\n" not in text.replace(b"\r\n", b"")
    parts = [part for part in text.split(b"\r\n\r\n") if part]
    assert parts[0::2] == [b": ping"] * (len(parts) // 2)
    assert all(part.startswith(b"data: ") for part in parts[1::2])


def test_a_stream_can_end_without_done_and_claim_another_type(desk: Desk) -> None:
    plan = desk.plan(
        chat_of(stream=True), x_simulate="no-done; content-type=text/html; finish=content_filter"
    )
    events = events_of(plan)
    assert events[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert headers_of(plan)["content-type"] == "text/html"


def test_controls_hold_for_embeddings_and_moderations_too(desk: Desk) -> None:
    for path in ("/v1/embeddings", "/v1/moderations"):
        assert desk.plan({"model": "sim-error-503", "input": "x"}, path).status == 503


def test_rates_strike_as_often_as_they_say_and_repeat_with_the_seed() -> None:
    options = Options(
        error_rates=parse_error_rates("429=0.2,500=0.1"), fault_rates=parse_fault_rates("cut=0.1")
    )
    first, second = Desk(options, seed=3), Desk(options, seed=3)
    runs = [[desk.plan(chat_of()).status for _ in range(50)] for desk in (first, second)]
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 429, 500}
    struck = [by_chance(options, Dice(3, at)) for at in range(2000)]
    assert sum(hit is not None and hit.error == 429 for hit in struck) == pytest.approx(400, rel=0.2)
    assert sum(hit is not None and hit.error == 500 for hit in struck) == pytest.approx(200, rel=0.25)
    assert sum(hit is not None and hit.cut_after is not None for hit in struck) == pytest.approx(
        200, rel=0.25
    )


def test_a_request_is_struck_by_chance() -> None:
    desk = Desk(Options(error_rates=parse_error_rates("500=1")))
    assert desk.plan(chat_of()).status == 500
    assert desk.plan(chat_of(model="sim-error-429")).status == 429


@pytest.mark.parametrize(
    "text", ["429", "429=", "429=2", "429=-1", "200=0.1", "x=0.1", "429=0.6,500=0.6", "429=nan"]
)
def test_wrong_error_rates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_error_rates(text)


@pytest.mark.parametrize("text", ["cut", "melt=0.1", "cut=1.1"])
def test_wrong_fault_rates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_fault_rates(text)
