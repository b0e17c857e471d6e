// The chat page with JavaScript: answers stream in, can be stopped, and survive a reload.
// Without it the same form works by itself. The server makes all HTML; here it is only put in place.

const form = document.getElementById("composer");
const { message: box, model: picker, token, transcript } = form.elements;
const [log, send, stop, status] = ["log", "send", "stop", "status"].map((id) => document.getElementById(id));
const words = JSON.parse(form.dataset.words);
const STORE = "madang.conversation";

// The one way from text to HTML, for what the server has rendered and sanitised.
const policy = window.trustedTypes?.createPolicy("madang", { createHTML: (html) => html });
const setHtml = (element, html) => { element.innerHTML = policy ? policy.createHTML(html) : html; };

/** @type {{role: string, text: string, by?: string, cut?: boolean}[]} */
let turns = [];
/** @type {AbortController | null} the answer under way */
let underWay = null;

// --- the conversation, and its copy that outlives a reload of this tab ---

function keep() {
  transcript.value = JSON.stringify(turns);
  try { sessionStorage.setItem(STORE, transcript.value); } catch { /* full or forbidden: this tab only */ }
}

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(STORE) ?? "[]");
    return Array.isArray(found) ? found.filter((turn) => typeof turn?.text === "string") : [];
  } catch { return []; }
}

// --- turns on the screen ---

function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function showUser(text) {
  const turn = clone("user-turn");
  turn.querySelector(".said").textContent = text;
  log.append(turn);
}

function showAssistant(by) {
  const turn = clone("assistant-turn");
  turn.querySelector(".by > span:last-child").textContent = by || words.answer;
  log.append(turn);
  return turn;
}

/** Put block `i` in place; what is beyond it stays. */
function setBlock(turn, i, html) {
  const answer = turn.querySelector(".answer");
  while (answer.querySelectorAll(":scope > .block").length <= i) {
    const block = document.createElement("div");
    block.className = "block";
    answer.append(block);
  }
  setHtml(answer.querySelectorAll(":scope > .block")[i], html);
}

function setNote(turn, text, detail = "") {
  const note = turn.querySelector(".note");
  const [sentence, small] = note.children;
  sentence.textContent = text;
  small.textContent = detail;
  small.hidden = !detail;
  note.hidden = !text;
}

function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = label;
  made.addEventListener("click", () => act(made));
  return made;
}

function setActions(turn, text, canRetry) {
  const actions = turn.querySelector(".actions");
  actions.replaceChildren();
  // A clipboard exists on https and on this machine only.
  if (text && navigator.clipboard) actions.append(button(words.copy, (made) => copy(made, text)));
  if (canRetry) actions.append(button(words.again, again));
}

async function copy(made, text) {
  await navigator.clipboard.writeText(text);
  made.textContent = words.copied;
  say(words.copied);
  setTimeout(() => { made.textContent = words.copy; }, 2000);
}

/** Say it to a screen reader, once; the log itself is silent, or it would read every piece. */
function say(text) {
  status.textContent = "";
  setTimeout(() => { status.textContent = text; }, 50);
}

/** Change the page; stay at its end if the reader was there. */
function following(change) {
  const page = document.documentElement;
  const atEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 80;
  change();
  if (atEnd) page.scrollTop = page.scrollHeight;
}

// --- asking ---

function submit() {
  const text = box.value.trim();
  if (!text || underWay || send.disabled) return;
  turns.push({ role: "user", text });
  showUser(text);
  box.value = "";
  grow();
  ask(text);
}

function again() {
  if (underWay) return;
  if (turns.at(-1)?.role === "assistant") {
    turns.pop();
    log.querySelector(".turn:last-of-type")?.remove();
  }
  ask();
}

/** Ask with the conversation as it is. A question that was refused goes back into the box. */
async function ask(text) {
  const by = picker.selectedOptions[0]?.textContent ?? "";
  const turn = showAssistant(by);
  const answer = { role: "assistant", text: "", by };
  turn.querySelector(".answer").append(clone("pending"));
  turn.setAttribute("aria-busy", "true");
  scrollTo({ top: document.documentElement.scrollHeight });
  setBusy(new AbortController());
  say(words.status_thinking);
  keep();
  let ending;
  try {
    ending = await receive(turn, answer, underWay.signal);
  } catch (error) {
    const stopped = error.name === "AbortError";
    ending = { message: stopped ? words.stopped : words.error_connection, cut: true };
  }
  setBusy(null);
  finish(turn, answer, ending, text);
}

function finish(turn, answer, ending, text) {
  turn.removeAttribute("aria-busy");
  turn.querySelector(".pending")?.remove();
  answer.cut = Boolean(ending.cut);
  following(() => {
    setNote(turn, ending.message ?? "", ending.detail);
    setActions(turn, answer.text, answer.cut && !(ending.refused && text));
  });
  if (ending.refused && text) {
    turns.pop();
    turn.previousElementSibling?.remove();
    box.value ||= text;
    grow();
  } else {
    turns.push(answer);
  }
  say(ending.message || words.status_done);
  keep();
  box.focus();
}

/** How it ended: `{}` well, else what to say about it. */
async function receive(turn, answer, signal) {
  const response = await post("/chat/stream", { turns: turns, model: picker.value }, signal);
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    return { message: problem.message ?? words.error_generic, cut: true, refused: response.status < 500 };
  }
  for await (const { name, data } of events(response.body)) {
    if (name === "text") answer.text += data.text;
    if (name === "tail" || name === "block") {
      following(() => {
        turn.querySelector(".pending")?.remove();
        setBlock(turn, data.i, data.html);
      });
    }
    if (name === "error") return { ...data, cut: true };
    if (name === "done") return data.stop_reason === "length" ? { message: words.cut_length, cut: true } : {};
  }
  return { message: words.error_connection, cut: true };
}

function post(path, body, signal) {
  const headers = { "content-type": "application/json", "x-madang-token": token.value };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/** Server-sent events of a response's body. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const match = /^event: (\w+)\ndata: (.*)$/.exec(frame);
      if (match) yield { name: match[1], data: JSON.parse(match[2]) };
    }
  }
}

function setBusy(controller) {
  underWay = controller;
  const hadFocus = document.activeElement === stop;
  stop.hidden = !controller;
  send.hidden = Boolean(controller);
  if (hadFocus) box.focus();
}

// --- the composer ---

// Hangul has no list of candidates, so Enter in the middle of a syllable means "send". But the
// syllable is in the box only after `compositionend`. Where Enter picks a candidate (Han, Kana)
// it is the input method's own.
const HANGUL = /[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]$/;
let composing = false;
let composed = "";
let pendingSend = false;

function sendSoon() {
  pendingSend = true;
  setTimeout(() => {
    if (!pendingSend || composing) return;
    pendingSend = false;
    submit();
  }, 0);
}

box.addEventListener("compositionstart", () => { composing = true; composed = ""; pendingSend = false; });
box.addEventListener("compositionupdate", (event) => { composed = event.data ?? ""; });
box.addEventListener("compositionend", (event) => {
  composing = false;
  composed = event.data || composed;
  if (pendingSend) sendSoon();
});
box.addEventListener("keydown", (event) => {
  const isEnter = event.key === "Enter" || event.code === "Enter" || event.code === "NumpadEnter";
  if (!isEnter || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.isComposing || event.keyCode === 229) {
    if (!HANGUL.test(composed)) return;
    event.preventDefault();
    // Safari ends the composition before this keydown; then there is no event left to wait for.
    if (composing) pendingSend = true; else sendSoon();
    return;
  }
  event.preventDefault();
  pendingSend = false;
  submit();
});

/** Where the style sheet cannot let the box grow with its text. */
function grow() {
  if (CSS.supports("field-sizing", "content")) return;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}

box.addEventListener("input", grow);
form.addEventListener("submit", (event) => {
  if (event.submitter?.name === "lang") return leaveFor(event);
  event.preventDefault();
  if (event.submitter?.name === "again") again(); else submit();
});
stop.addEventListener("click", () => underWay?.abort());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) underWay?.abort();
});
document.getElementById("new").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  underWay?.abort();
  startAnew();
});

function startAnew() {
  // An answer being stopped finishes first and would come back into the new conversation.
  if (underWay) return void setTimeout(startAnew, 20);
  turns = [];
  log.replaceChildren();
  keep();
  say(words.status_new);
  box.focus();
}

/** The switch of language on a page made by a post: a plain link will do, the conversation is kept here. */
function leaveFor(event) {
  event.preventDefault();
  location.assign(`/?lang=${event.submitter.value}`);
}

// --- opening the page ---

async function open() {
  const sent = JSON.parse(transcript.value || "[]");
  turns = sent.length ? sent : kept();
  const shown = [...log.querySelectorAll(".turn")];
  if (sent.length) {
    turns.forEach((turn, i) => turn.role === "assistant" && setActions(shown[i], turn.text, canRetry(turn, i)));
  } else if (turns.length) {
    await restore();
  }
  keep();
  grow();
}

function canRetry(turn, i) {
  return Boolean(turn.cut) && i === turns.length - 1;
}

async function restore() {
  const places = turns.map((turn) => (turn.role === "user" ? showUser(turn.text) : showAssistant(turn.by)));
  turns.forEach((turn, i) => {
    if (!places[i]) return;
    places[i].querySelector(".answer").textContent = turn.text;
    setActions(places[i], turn.text, canRetry(turn, i));
    if (canRetry(turn, i)) setNote(places[i], words.stopped);
  });
  scrollTo({ top: document.documentElement.scrollHeight });
  const response = await post("/chat/render", { turns });
  if (!response.ok) return;
  const { html } = await response.json();
  html.forEach((set, i) => places[i] && setHtml(places[i].querySelector(".answer"), set));
  scrollTo({ top: document.documentElement.scrollHeight });
}

open();
