"""Walks through the console with a real browser, and fails where it is not as it should be.

Arguments: JSON with "url", "token", "key" (an admin's key file), "wrong_key" (another's), "planted" (a credential to
enter), "shots" (a folder for pictures, or null).
"""

import json
import sys
import tempfile
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

given = json.loads(sys.argv[1])
PAGES = ["Now", "Approvals", "Tools", "Forge", "Runs", "Conversations", "Topics", "Dead letters", "Matrix", "Cost", "Audit", "Components", "Hosts", "Settings"]
DARK_SHOTS = ["now-dark", "audit-dark", "run-dark"]
scratch = Path(tempfile.mkdtemp())


def accessible(page, name):
    found = Axe().run(page).response["violations"]
    assert not found, f"{name}: {[(v['id'], [n['target'] for n in v['nodes']]) for v in found]}"


def shot(page, name, whole=False):
    if given["shots"] and ("dark" not in name or name in DARK_SHOTS):
        page.screenshot(path=Path(given["shots"]) / f"{name}.png", full_page=whole)


def untouched(page):
    """What a guest, a record or a file says is text, whatever it looks like."""
    assert page.title() != "taken"
    assert page.locator("main img, main script").count() == 0


def visit(page, title):
    page.get_by_role("link", name=title, exact=True).first.click()
    heading = page.get_by_role("heading", level=1, name=title)
    expect(heading).to_be_focused()
    expect(page.get_by_role("alert")).to_have_count(0)


def enter(page):
    page.goto(given["url"])
    page.get_by_label("Token").fill("wasmill_wrong")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.get_by_label("Token").fill(given["token"])
    # By the keyboard alone.
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Now")).to_be_visible()
    expect(page.get_by_text("wait for an admin")).to_be_visible()


def every_page(page, scheme):
    for title in PAGES:
        visit(page, title)
        if title == "Now":
            expect(page.get_by_role("region", name="Picture of topics, agents and tools").get_by_text("stepper", exact=True)).to_be_visible()
        untouched(page)
        accessible(page, f"{title} ({scheme})")
        shot(page, f"{title.lower().replace(' ', '-')}-{scheme}", whole=title in ["Now", "Settings"])
    a_run(page, scheme)
    for title, first in [("Tools", "text-metrics"), ("Approvals", "ops.look@0.1.1"), ("Topics", "steps")]:
        visit(page, title)
        page.get_by_role("link", name=first, exact=True).first.click()
        expect(page.get_by_role("heading", level=1, name=first)).to_be_visible()
        accessible(page, f"{first} ({scheme})")


def a_run(page, scheme):
    """The timeline of the run that called a tool and asked a model."""
    visit(page, "Runs")
    page.get_by_role("row").filter(has_text="done").get_by_role("link").first.click()
    rows = page.locator(".timeline tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.locator("svg.bar")).to_have_count(3)
    # Its outcome is known: there is nothing to order.
    expect(page.get_by_role("button", name="pause")).to_have_count(0)
    expect(rows.nth(1)).to_contain_text("9 + 12")
    rows.nth(0).get_by_text("tool", exact=False).first.click()
    expect(rows.nth(0)).to_contain_text("<b>two</b> words")
    expect(rows.nth(0)).to_contain_text('"Ok"')
    rows.nth(1).locator("summary").click()
    expect(rows.nth(1)).to_contain_text("<script>document.title = 'taken'</script>")
    untouched(page)
    trace = page.locator("dd a").first
    assert trace.get_attribute("href").startswith("http://127.0.0.1:1/trace/"), trace.get_attribute("href")
    page.get_by_role("button", name="Replay and compare").click()
    expect(page.get_by_text("The replay has come to the same.")).to_be_visible()
    accessible(page, f"a run ({scheme})")
    shot(page, f"run-{scheme}", whole=True)


def layout(page):
    """The picture's arithmetic: columns follow the way of records, and circles end."""
    columns = page.evaluate("""async () => {
      const { layers, graph, places } = await import("/topology.js");
      const nodes = ["topic:a", "agent:x", "topic:b", "agent:y"].map((id) => ({ id }));
      const edges = [["topic:a", "agent:x"], ["agent:x", "topic:b"], ["topic:b", "agent:y"], ["agent:y", "topic:a"]].map(([from, to]) => ({ from, to }));
      const line = Object.fromEntries(layers({ nodes, edges: edges.slice(0, 3) }));
      const circle = layers({ nodes, edges });
      const host = { started_ms: 1 };
      const agents = [{ agent: "x", state: "running", reads: ["a"], lag: [{ topic: "a", records: 3 }, { topic: "a", records: 4 }] }];
      const flow = (count) => [{ principal: "agent:x", kind: "writes", name: "b", count }];
      const of = (before, now) => graph(now, before).edges.find((e) => e.kind === "writes").rate;
      const at = (at_ms, count, started_ms = 1) => ({ at_ms, host: { started_ms }, agents, flows: flow(count) });
      const whole = graph(at(2000, 30), at(1000, 10));
      const { at: where } = places(whole);
      return { line, circle: [...circle.values()].every((n) => n >= 0 && n < 4), lag: whole.edges.find((e) => e.kind === "reads").lag,
        rates: [of(null, at(1000, 9)), of(at(1000, 10), at(3000, 30)), of(at(1000, 10), at(3000, 30, 2))],
        apart: where.get("topic:a").x < where.get("agent:x").x && where.get("agent:x").x < where.get("topic:b").x };
    }""")
    assert columns["line"] == {"topic:a": 0, "agent:x": 1, "topic:b": 2, "agent:y": 3}, columns
    assert columns["circle"] and columns["apart"] and columns["lag"] == 7, columns
    # A rate needs two readings of the same host.
    assert columns["rates"] == [None, 10, None], columns


def live(page):
    """What goes where is told as it happens: nothing is asked for again."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    visit(page, "Topics")
    page.get_by_role("link", name="lower", exact=True).click()
    page.get_by_role("textbox", name="Value").fill("def")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Sent to partition 0, offset 1.")).to_be_visible()
    asked.clear()
    visit(page, "Now")
    page.get_by_text("The same as a table").click()
    moved = page.get_by_role("row").filter(has_text="agent upper").filter(has_text="topic upper")
    expect(moved.get_by_role("cell", name="2", exact=True)).to_be_visible(timeout=15_000)
    expect(moved).to_contain_text("/s")
    expect(page.get_by_role("row").filter(has_text="agent stepper").filter(has_text="tool text-metrics")).to_contain_text("calls")
    accessible(page, "what goes where, as a table")
    page.wait_for_timeout(4500)
    figures = [url for url in asked if url.endswith("/v1/figures")]
    assert len(figures) == 1, figures
    assert len([url for url in asked if url.endswith("/v1/events")]) == 1, asked


def a_file(browser, page):
    """A run as a file, looked at in a browser that reaches no host and has no token."""
    visit(page, "Runs")
    page.get_by_role("row").filter(has_text="done").get_by_role("link").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a trace file").click()
    saved = scratch / "run.json"
    download.value.save_as(saved)
    context = browser.new_context()
    alone = context.new_page()
    alone.goto(given["url"])
    alone.get_by_role("link", name="open a trace file").click()
    context.set_offline(True)
    asked = []
    alone.on("request", lambda request: asked.append(request.url))
    alone.get_by_label("Drop a file here").set_input_files(saved)
    expect(alone.locator(".timeline tbody tr")).to_have_count(3)
    # The same by dropping it.
    text = saved.read_text()
    drop = """(label, text) => {
      const data = new DataTransfer();
      data.items.add(new File([text], "dropped.json"));
      label.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    alone.locator(".drop").evaluate(drop, text)
    expect(alone.get_by_role("heading", name="dropped.json")).to_be_visible()
    accessible(alone, "a trace file")
    shot(alone, "trace-file")
    evil = {"id": "<img src=x onerror=document.title='taken'>", "steps": [{"seq": 0, "kind": "<script>document.title='taken'</script>", "asked_ms": 5, "answered_ms": 9, "request": "<b>x</b>", "answer": "{\"Ok\":1}"}]}
    alone.locator(".drop").evaluate(drop, json.dumps(evil))
    expect(alone.locator(".timeline")).to_contain_text("<script>")
    untouched(alone)
    for wrong in ["no JSON", "{}", '{"steps": 7}', '{"steps": [{"seq": "x"}]}', "null"]:
        alone.locator(".drop").evaluate(drop, wrong)
        expect(alone.get_by_role("alert")).to_contain_text("wasmill run show")
    assert not [url for url in asked if url.startswith("http")], asked
    context.close()


def call_a_tool(page):
    visit(page, "Tools")
    page.get_by_label("Search").fill("metrics")
    page.get_by_role("link", name="text-metrics").click()
    page.get_by_label("Arguments (JSON)").first.fill('{"text": "two <b>words</b>"}')
    page.get_by_role("button", name="Call count").click()
    expect(page.get_by_text('"words": 2')).to_be_visible()
    accessible(page, "a tool")
    shot(page, "tool")
    page.get_by_label("Arguments (JSON)").first.fill('{"text": 7}')
    page.get_by_role("button", name="Call count").click()
    expect(page.get_by_role("alert")).to_contain_text("tool.arguments")


def tab_to(page, role, name, key="Tab"):
    """Goes on with a key until that is focused: what cannot be reached so fails."""
    wanted = page.get_by_role(role, name=name, exact=True) if role else page.get_by_label(name)
    for _ in range(80):
        page.keyboard.press(key)
        if wanted.first.evaluate("element => element === document.activeElement"):
            ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring != "none", f"nobody sees that {name} is focused"
            return
    raise AssertionError(f"{name} can't be reached with the keyboard")


def choose(page, name, file, key="Tab"):
    tab_to(page, None, name, key)
    # What opens now is the system's own window.
    page.locator(":focus").set_input_files(file)


def cost(page):
    """What the recorded answer took: 9 tokens in and 12 out, at 1,000 and 2,000 for a million."""
    visit(page, "Cost")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="agent:stepper"))
    expect(row.get_by_role("cell", name="21", exact=True)).to_have_class("number heat-5")
    page.get_by_label("Show").select_option("Cost")
    expect(row.get_by_role("cell", name="0.033", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="recorded")).to_be_visible()
    expect(page.get_by_role("cell", name="0.033 EUR").first).to_be_visible()
    accessible(page, "cost")


def approve(page):
    """One whole job with nothing but keys."""
    page.goto(given["url"])
    expect(page.get_by_role("heading", level=1, name="Now")).to_be_focused()
    tab_to(page, "link", "Approvals", key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("cell", name="waiting")).to_be_visible()
    tab_to(page, "link", "ops.look@0.1.1")
    page.keyboard.press("Enter")
    expect(page.get_by_text("<img src=x onerror=document.title='taken'>")).to_be_visible()
    untouched(page)
    expect(page.get_by_text("api.example.com").first).to_be_visible()
    shot(page, "approval")
    # Beside the version before it, which asked nobody.
    tab_to(page, "button", "Shadow run")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The same 0 times, different 1 times.")).to_be_visible()
    expect(page.get_by_role("cell", name='{"answer":"<b>nothing</b>"}')).to_be_visible()
    expect(page.get_by_role("cell", name="http: GET https://api.example.com/ (not in a shadow run)")).to_be_visible()
    untouched(page)
    accessible(page, "a shadow run")
    shot(page, "shadow-run", whole=True)
    # Another key than an admin's changes nothing.
    choose(page, "Admin's key file", given["wrong_key"])
    tab_to(page, "button", "Approve exactly this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("signature.")
    choose(page, "Admin's key file", given["key"], key="Shift+Tab")
    tab_to(page, "button", "Approve exactly this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("ops.look@0.1.1 is approved.")
    expect(page.get_by_text("granted")).to_be_visible()


def forge(page):
    visit(page, "Forge")
    made = page.get_by_role("row").filter(has_text="client:ops").first
    expect(made).to_contain_text("0.1.0")
    page.get_by_role("link").filter(has_text="01").first.click()
    expect(page.get_by_role("cell", name="register")).to_be_visible()
    expect(page.get_by_role("list", name="Source")).to_contain_text("export const look")
    accessible(page, "a build")
    shot(page, "build")


def build_live(page):
    """Stages of a build appear while it is made."""
    visit(page, "Forge")
    page.evaluate("""async (token) => {
      const body = JSON.stringify({ name: "twice", language: "javascript", source: "export const twice = { call({ n }) { return n * 2; } };" });
      window.built = fetch("/v1/builds", { method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body }).then((answer) => answer.text());
    }""", given["token"])
    expect(page.get_by_role("log")).to_contain_text("ops.twice for client:ops", timeout=30_000)
    page.evaluate("window.built")
    expect(page.get_by_role("row").filter(has_text="ops.twice").first).to_be_visible(timeout=15_000)
    shot(page, "forge-live")


def topics(page):
    visit(page, "Topics")
    page.get_by_role("link", name="news").click()
    page.get_by_role("textbox", name="Value").fill("<script>document.title = 'taken'</script>")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Sent to partition 0, offset 0.")).to_be_visible()
    page.get_by_role("button", name="Read").click()
    expect(page.get_by_role("cell", name="<script>document.title = 'taken'</script>")).to_be_visible()
    untouched(page)
    for key, value in [("k1", "first"), ("k2", "second"), ("k1", "third")]:
        page.get_by_role("textbox", name="Key (optional)").fill(key)
        page.get_by_role("textbox", name="Value").fill(value)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("Sent to partition")).to_be_visible()
        page.wait_for_timeout(300)
    page.get_by_role("textbox", name="Key, the whole of it").fill("k1")
    page.get_by_role("button", name="Search").click()
    found = page.get_by_role("region", name="Records with the key")
    expect(found.get_by_role("row")).to_have_count(3)
    expect(found).to_contain_text("first")
    expect(found).to_contain_text("third")
    expect(found).not_to_contain_text("second")
    accessible(page, "a topic")
    shot(page, "topic", whole=True)


def headers(page):
    visit(page, "Topics")
    page.get_by_role("link", name="steps", exact=True).click()
    page.get_by_role("button", name="Read").click()
    expect(page.get_by_text("lang: en").first).to_be_visible()


def letters(page):
    visit(page, "Dead letters")
    letter = page.get_by_role("row").filter(has_text="steps.dlq/0@0")
    expect(letter).to_contain_text("<i>no</i>")
    expect(letter).to_contain_text("stepper")
    page.get_by_role("button", name="Send those of steps again").click()
    expect(page.get_by_role("status")).to_contain_text("steps:")
    expect(page.get_by_text("steps.dlq/0@0")).to_have_count(0)


def matrix(page):
    visit(page, "Matrix")
    page.get_by_role("textbox", name="Who").fill("client:ops")
    page.get_by_label("Column").select_option("tools")
    page.get_by_role("textbox", name="Name").fill("text-metrics")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("client:ops may call tool text-metrics")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="topics.read").filter(has_text="(line ")).to_have_count(1)
    accessible(page, "explained")
    shot(page, "explained", whole=True)


def talk(page):
    visit(page, "Conversations")
    page.get_by_role("textbox", name="Session").fill("trip")
    page.get_by_role("button", name="Open").click()
    log = page.get_by_role("log", name="Conversation")
    page.get_by_role("textbox", name="Message").fill("<b>one</b> two")
    page.get_by_role("textbox", name="Message").press("Enter")
    expect(log).to_contain_text("You <b>one</b> two")
    expect(log.locator("p.quiet")).to_have_count(2, timeout=60000)
    expect(log.locator("p").last).to_contain_text("Agent")
    accessible(page, "a conversation")
    shot(page, "conversation")


def what_if(page):
    """On the page of the matrix."""
    box = page.get_by_role("textbox", name="permissions.toml")
    now = box.input_value()
    page.get_by_role("button", name="What would change").click()
    expect(page.get_by_text("Nothing that was tried would be decided otherwise.")).to_be_visible()
    # Without the row of an agent that has worked.
    without = now[: now.index("[[row]]\nprincipal = \"agent:upper\"")] + now[now.index("[[row]]\nprincipal = \"agent:stepper\"") :]
    box.fill(without)
    page.get_by_role("button", name="What would change").click()
    change = page.get_by_role("row").filter(has_text="write topic upper")
    expect(change).to_contain_text("denied")
    expect(change).to_contain_text("agent:upper")
    accessible(page, "what if")
    shot(page, "what-if", whole=True)
    box.fill("[[row]]\nprinciple = 1\n")
    page.get_by_role("button", name="What would change").click()
    expect(page.get_by_role("alert")).to_contain_text("did you mean")
    # Nothing of that was saved. What an admin signs is.
    box.fill(now + "[[row]]\nprincipal = \"client:visitor\"\nhost = [\"read\"]\n")
    page.get_by_label("Admin's key file").set_input_files(given["wrong_key"])
    page.get_by_role("button", name="Sign and save").click()
    expect(page.get_by_role("alert").last).to_contain_text("signature.")
    page.get_by_label("Admin's key file").set_input_files(given["key"])
    page.get_by_role("button", name="Sign and save").click()
    expect(page.get_by_role("status")).to_contain_text("is saved, signed by admin")
    assert "client:visitor" in page.get_by_role("textbox", name="permissions.toml").input_value()


def settings(page):
    visit(page, "Settings")
    expect(page.get_by_text("missing")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("MODEL_KEY")
    page.get_by_label("Value", exact=True).fill(given["planted"])
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("MODEL_KEY is set.")
    row = page.get_by_role("row").filter(has_text="MODEL_KEY")
    expect(row).to_contain_text("usable")
    expect(row).to_contain_text("client:ops")
    expect(row).to_contain_text("••••••••")
    assert given["planted"] not in page.content()
    assert page.get_by_label("Value", exact=True).input_value() == ""
    accessible(page, "settings with a credential")
    shot(page, "settings")
    page.get_by_label("Name", exact=True).fill("OTHER")
    page.get_by_label("Value", exact=True).fill("short-lived")
    page.get_by_role("button", name="Set", exact=True).click()
    page.get_by_role("button", name="Remove OTHER").click()
    expect(page.get_by_role("status")).to_have_text("OTHER is removed.")
    expect(page.get_by_role("row").filter(has_text="OTHER")).to_have_count(0)


def audit(page):
    visit(page, "Audit")
    expect(page.get_by_role("cell", name="client:ops").first).to_be_visible()
    expect(page.get_by_role("cell", name="set secret MODEL_KEY").first).to_be_visible()
    assert given["planted"] not in page.content()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Nothing is wrong in")).to_be_visible()
    accessible(page, "the audit trail")
    shot(page, "audit")


def keyboard(page):
    """To a page and back with nothing but keys."""
    page.goto(given["url"])
    expect(page.get_by_role("heading", level=1, name="Now")).to_be_focused()
    for _ in range(50):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.textContent") == "Hosts":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Hosts")).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Now")).to_be_visible()


def strict(page):
    """Even a script that somebody had got into the page would not run, and nothing is asked of anybody else."""
    took = page.evaluate("""async () => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken'";
      document.body.append(script);
      const button = document.createElement("button");
      button.setAttribute("onclick", "document.title = 'taken'");
      document.body.append(button);
      button.click();
      script.remove();
      button.remove();
      return fetch("http://127.0.0.1:1/").then(() => "sent", (error) => String(error));
    }""")
    assert page.title() != "taken" and took != "sent", took


def phone(browser):
    page = browser.new_page(viewport={"width": 380, "height": 800})
    enter(page)
    for title in PAGES:
        visit(page, title)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{title}: a phone has to scroll sideways by {wide}"
    visit(page, "Runs")
    page.get_by_role("row").filter(has_text="done").get_by_role("link").first.click()
    expect(page.locator(".timeline tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a run on a phone"
    shot(page, "phone-run")
    visit(page, "Now")
    accessible(page, "a phone")
    shot(page, "phone")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=given["chromium"], args=["--no-sandbox"])
    said = []
    for scheme in ["light", "dark"]:
        page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900})
        page.on("console", lambda message: said.append(message.text) if message.type == "error" and "401" not in message.text else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        enter(page)
        every_page(page, scheme)
        unexpected = list(said)
        assert not unexpected, unexpected
        if scheme == "light":
            layout(page)
            call_a_tool(page)
            live(page)
            a_file(browser, page)
            approve(page)
            forge(page)
            build_live(page)
            topics(page)
            headers(page)
            letters(page)
            talk(page)
            matrix(page)
            what_if(page)
            settings(page)
            cost(page)
            audit(page)
            keyboard(page)
            strict(page)
            page.get_by_role("button", name="Forget token").click()
            expect(page.get_by_label("Token")).to_be_visible()
            said.clear()
        page.close()
    phone(browser)
    browser.close()
print("walked")
