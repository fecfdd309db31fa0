// Conversations: talking with agents in a session of one's own, and what they do on the way.

import { h, field, mark } from "./dom.js";

export async function conversations(api, name, signal) {
  const { conversations } = await api.get("/v1/status");
  if (!conversations) {
    return h("p", { class: "about" }, "This host has no conversations: ", h("code", {}, "[conversations]"), " in host.toml, see docs/conversations.md.");
  }
  const session = h("input", { required: true, pattern: "[A-Za-z0-9._\\-]{1,128}", value: name || "console" });
  const open = h("form", { submit: (event) => { event.preventDefault(); location.hash = `#/conversations/${session.value}`; } },
    field("Session", session), h("button", { class: "main" }, "Open"));
  if (!name) return [conversations.state !== "running" && h("p", {}, mark(conversations.state), " ", conversations.reason ?? ""), open];

  const log = h("div", { class: "log tall", role: "log", "aria-label": "Conversation", tabindex: "0" });
  const text = h("textarea", { required: true, maxlength: 10000 });
  const told = (who, what, kind = "") => {
    const line = h("p", { class: kind }, h("b", {}, who), " ", what);
    log.append(line);
    log.scrollTop = log.scrollHeight;
    return line;
  };
  const wire = follow(api, name, signal, told);
  const say = h("form", { submit: (event) => {
    event.preventDefault();
    if (!wire.say({ message: text.value })) return;
    told("You", text.value);
    text.value = "";
    text.focus();
  } }, field("Message", text), h("button", { class: "main" }, "Say"));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); say.requestSubmit(); }
  });
  return [log, say];
}

/** Hears a session until the signal is aborted; connects again, from where it was, where the connection ends. */
function follow(api, name, signal, told) {
  let socket, after, part;
  const heard = ({ event, id, data }) => {
    after = id ?? after;
    if (event === "refused" || event === "closed") told("Wasmill", `${data.message} ${data.next ?? ""}`, "bad");
    else if (event === "tool") told("Tool", data.message, "quiet");
    else if (event === "part") (part ??= told("Agent", "")).append(data.message);
    else if (event === "message") {
      part?.remove();
      part = undefined;
      told(data.role === "user" ? "You" : "Agent", data.message);
    }
  };
  const connect = () => {
    socket = api.socket(`/v1/conversations/${name}${after ? `?after=${after}` : ""}`);
    socket.addEventListener("message", (message) => heard(JSON.parse(message.data)));
    socket.addEventListener("close", ({ code }) => {
      // Who may not talk is told so once.
      if (!signal.aborted && code !== 1008) setTimeout(() => signal.aborted || connect(), 2000);
    });
  };
  connect();
  signal.addEventListener("abort", () => socket.close());
  return { say: (said) => socket.readyState === WebSocket.OPEN && (socket.send(JSON.stringify(said)), true) };
}
