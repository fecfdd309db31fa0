// The console: a token, a page by the address, and what the host tells as it happens.

import { h, field, problem } from "./dom.js";
import { PAGES } from "./pages.js";

const main = document.querySelector("#main");
const nav = document.querySelector("#nav");
const leave = document.querySelector("#leave");
const said = document.querySelector("#said");

/** For this tab only: gone when it is closed. */
const token = {
  get: () => sessionStorage.getItem("token"),
  set: (value) => value ? sessionStorage.setItem("token", value) : sessionStorage.removeItem("token"),
};

/** Asks the host. Throws what it says no with (RFC 9457): `message`, `code`, `next`. */
async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${token.get()}`, ...(options.body && { "Content-Type": "application/json" }) } });
  if (answer.ok) return answer;
  const error = await answer.json().catch(() => ({ detail: `${answer.status} ${answer.statusText}` }));
  if (answer.status === 401) forget();
  throw Object.assign(new Error(error.detail), error);
}

const api = {
  ask,
  get: (path) => ask(path).then((answer) => answer.json()),
  all,
  post: (path, value = {}) => ask(path, { method: "POST", body: JSON.stringify(value) }).then((answer) => answer.json()),
  put: (path, value, headers) => ask(path, { method: "PUT", body: JSON.stringify(value), headers }).then((answer) => answer.json()),
  delete: (path) => ask(path, { method: "DELETE" }).then((answer) => answer.json()),
  // A page can set no header of a WebSocket but its protocols.
  socket: (path) => new WebSocket(new URL(path, location.href.replace(/^http/, "ws")), ["wasmill", `wasmill.bearer.${token.get()}`]),
  say: (text) => { said.textContent = text; },
  listen,
};

/** All of a list that comes in pages. */
async function all(path) {
  const items = [];
  while (path) {
    const answer = await ask(path);
    items.push(...await answer.json());
    path = answer.headers.get("Link")?.match(/<([^>]*)>; rel="next"/)?.[1];
  }
  return items;
}

/** Hears the host's events until the signal is aborted; connects again where the connection ends. */
async function listen(signal, hear) {
  while (!signal.aborted) {
    try {
      const answer = await ask("/v1/events", { signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let buffer = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const events = (buffer + value).split("\n\n");
        buffer = events.pop();
        for (const event of events) {
          const line = (name) => event.split("\n").find((l) => l.startsWith(`${name}: `))?.slice(name.length + 2);
          if (line("event")) hear(line("event"), JSON.parse(line("data")));
        }
      }
    } catch (error) {
      if (signal.aborted || error.code === "permission.denied") return;
    }
    await new Promise((done) => setTimeout(done, 2000));
  }
}

function forget() {
  token.set(null);
  show();
}

function login() {
  nav.hidden = leave.hidden = true;
  const input = h("input", { type: "password", name: "token", autocomplete: "off", required: true });
  const form = h("form", { submit: (event) => { event.preventDefault(); token.set(input.value.trim()); show(); } },
    field("Token", input), h("button", { class: "main" }, "Enter"));
  main.replaceChildren(h("h1", {}, "Wasmill"),
    h("p", { class: "about" }, "Bring a token: ", h("code", {}, "wasmill token new NAME"), ", with a row for ", h("code", {}, "client:NAME"), " that has ", h("code", {}, 'host = ["read"]'), "."), form,
    h("p", { class: "about" }, "A file of a run needs no token: ", h("a", { href: "#/trace" }, "open a trace file"), "."));
  input.focus();
}

let away = new AbortController();

async function show() {
  away.abort();
  away = new AbortController();
  const { signal } = away;
  const [name, ...rest] = decodeURI(location.hash.replace(/^#\/?/, "")).split("/").filter(Boolean);
  const page = PAGES.find((page) => page.name === name) ?? PAGES[0];
  if (!token.get() && !page.isOpen) return login();
  nav.hidden = leave.hidden = !token.get();
  nav.replaceChildren(...PAGES.filter((page) => !page.isOpen).map(({ name, title }) => h("a", { href: `#/${name}`, "aria-current": name === page.name && "page" }, title)));
  document.title = `${page.title} – Wasmill`;
  said.textContent = "";
  const place = h("div");
  const heading = h("h1", { tabindex: "-1" }, rest.length ? rest.join("/") : page.title);
  main.replaceChildren(heading, place);
  heading.focus({ preventScroll: true });
  const draw = async () => {
    try {
      const drawn = await page.draw(api, rest.join("/"), signal, draw);
      if (signal.aborted) return;
      place.replaceChildren(...[drawn].flat(Infinity).filter(Boolean));
      // Where what had the focus is gone, it goes to the beginning.
      if (document.activeElement === document.body) heading.focus({ preventScroll: true });
    } catch (error) {
      if (!signal.aborted) place.replaceChildren(problem(error));
    }
  };
  await draw();
}

leave.addEventListener("click", forget);
addEventListener("hashchange", show);
show();
