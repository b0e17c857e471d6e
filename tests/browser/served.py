"""What the browser tests are played with: a scripted backend, a server for it, visits to its pages."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field

import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from starlette.applications import Starlette

from madang.core.errors import BrokenAnswer
from madang.web.auth import KeyHolder, Visitor
from madang.web.chat import Message, ModelChoice, Piece

GOOD_KEY = "mk_a_key_for_the_browser_tests"
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP chat.example 127.0.0.1",
)
# What makes the browser say that our policy was broken, kept where a test can read it.
WATCH_POLICY = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.broken.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""

KOREAN_ANSWER = """\
마당은 집의 모든 방이 향하는 **가운데 뜰**입니다. 들어오는 사람은 누구나 마당을 지나갑니다.

### 세 가지 쓰임

1. 곡식을 말리고 갈무리하는 *일터*
2. 잔치와 혼례를 여는 자리
3. 빛과 바람을 방으로 들이는 통로

| 마당 | 자리 | 쓰임 |
|---|---|--:|
| 안마당 | 안채 앞 | 살림 |
| 사랑마당 | 사랑채 앞 | 손님맞이 |

```python
def madang(house):
    return [room.door for room in house if room.faces("courtyard")]
```

더 읽을거리: [한국민족문화대백과](https://encykorea.aks.ac.kr/)
"""
ENGLISH_ANSWER = """\
A *madang* is the **courtyard** of a Korean house: every room opens onto it, and whoever comes in crosses it.

### What it was for

- drying and sorting grain
- weddings and feasts
- letting light and wind into the rooms

```python
def madang(house):
    return [room.door for room in house if room.faces("courtyard")]
```

> The yard is left empty so that anything can happen in it.
"""


@dataclass
class Script:
    """A backend whose answer depends on the model's name, and which remembers what happened."""

    asked: list[list[Message]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    async def models(self, visitor: Visitor) -> list[ModelChoice]:
        return [
            ModelChoice("offline/extractive", "Extractive", "Offline"),
            ModelChoice("script/endless", "Endless", "Script"),
            ModelChoice("script/broken", "Broken", "Script"),
            ModelChoice("script/hostile", "Hostile", "Script"),
        ]

    async def stream(
        self, model: str, messages: Sequence[Message], visitor: Visitor
    ) -> AsyncGenerator[Piece, None]:
        self.asked.append(list(messages))
        self.closed.clear()
        try:
            async for text in self._texts(model, messages[-1].text):
                yield Piece(text)
        finally:
            self.closed.set()

    async def _texts(self, model: str, question: str) -> AsyncGenerator[str, None]:
        match model:
            case "script/endless":
                yield "The first words. "
                await asyncio.Event().wait()
            case "script/broken":
                yield "Half an ans"
                raise BrokenAnswer("The provider hung up.")
            case "script/hostile":
                yield '<img src=x onerror="window.pwned=1"> [x](javascript:window.pwned=1)\n\n'
                yield "![x](https://example.com/spy.png)\n\n<script>window.pwned=1</script>\n\nend"
            case _:
                answer = KOREAN_ANSWER if any("가" <= char <= "힣" for char in question) else ENGLISH_ANSWER
                for start in range(0, len(answer), 7):
                    yield answer[start : start + 7]
                    await asyncio.sleep(0)


class OneKey:
    def check(self, secret: str) -> KeyHolder | None:
        return KeyHolder("k1", "browser tests") if secret == GOOD_KEY else None

    def holder(self, fingerprint: str) -> KeyHolder | None:
        return KeyHolder("k1", "browser tests") if fingerprint == "k1" else None


def serve(app: Starlette) -> Iterator[str]:
    """The app on a free port of this machine, in a thread; its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


class Visits:
    """Opens pages, each in a context of its own, and holds all of them to the policy at the end."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(
        self,
        url: str,
        *,
        language: str = "en",
        script: bool = True,
        size: tuple[int, int] = (1280, 800),
        dark: bool = False,
    ) -> Page:
        context = self._browser.new_context(
            locale={"ko": "ko-KR", "en": "en-US"}[language],
            java_script_enabled=script,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        context.add_init_script(WATCH_POLICY)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.goto(url)
        return page

    def close(self) -> None:
        for context in self._contexts:
            for page in context.pages:
                self.complaints += page.evaluate("window.broken ?? []")
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        # A refused request is told by the browser itself, and the tests that refuse look at the page. Over
        # plain http under another name than this machine's, it says that one header of ours has no effect.
        known = ("Failed to load resource", "Cross-Origin-Opener-Policy header has been ignored")
        if message.type == "error" and not any(text in message.text for text in known):
            self.complaints.append(message.text)
