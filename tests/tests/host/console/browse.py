"""Walks through the console with a real browser, and fails where it is not as it should be.

Arguments: JSON with "url", "token", "key" (an admin's key file), "shots" (a folder for pictures, or null).
"""

import json
import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

given = json.loads(sys.argv[1])
PAGES = ["Now", "Approvals", "Tools", "Forge", "Runs", "Topics", "Dead letters", "Matrix", "Audit", "Components", "Hosts"]


def accessible(page, name):
    found = Axe().run(page).response["violations"]
    assert not found, f"{name}: {[(v['id'], [n['target'] for n in v['nodes']]) for v in found]}"


def shot(page, name):
    if given["shots"]:
        page.screenshot(path=Path(given["shots"]) / f"{name}.png")


def visit(page, title):
    page.get_by_role("link", name=title, exact=True).click()
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
        accessible(page, f"{title} ({scheme})")
        shot(page, f"{title.lower().replace(' ', '-')}-{scheme}")


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


def approve(page):
    visit(page, "Approvals")
    expect(page.get_by_role("cell", name="waiting")).to_be_visible()
    page.get_by_role("link", name="ops.look@0.1.0").click()
    # What a guest wrote is text, whatever it looks like.
    expect(page.get_by_text("<img src=x onerror=document.title='taken'>")).to_be_visible()
    assert page.locator("main img").count() == 0 and page.title() != "taken"
    expect(page.get_by_text("api.example.com").first).to_be_visible()
    accessible(page, "an approval")
    shot(page, "approval")
    # Another key than an admin's changes nothing.
    page.get_by_label("Admin's key file").set_input_files(given["wrong_key"])
    page.get_by_role("button", name="Approve exactly this").click()
    expect(page.get_by_role("alert")).to_contain_text("signature.")
    page.get_by_label("Admin's key file").set_input_files(given["key"])
    page.get_by_role("button", name="Approve exactly this").click()
    expect(page.get_by_role("status")).to_have_text("ops.look@0.1.0 is approved.")
    expect(page.get_by_text("granted")).to_be_visible()


def forge(page):
    visit(page, "Forge")
    page.get_by_role("link").filter(has_text="01").first.click()
    expect(page.get_by_role("cell", name="register")).to_be_visible()
    expect(page.get_by_role("list", name="Source")).to_contain_text("export const look")
    accessible(page, "a build")
    shot(page, "build")


def topics(page):
    visit(page, "Topics")
    page.get_by_role("link", name="news").click()
    page.get_by_role("textbox", name="Value").fill("<script>document.title = 'taken'</script>")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Sent to partition 0, offset 0.")).to_be_visible()
    page.get_by_role("button", name="Read").click()
    expect(page.get_by_role("cell", name="<script>document.title = 'taken'</script>")).to_be_visible()
    assert page.title() != "taken"
    accessible(page, "a topic")
    shot(page, "topic")


def matrix(page):
    visit(page, "Matrix")
    page.get_by_role("textbox", name="Who").fill("client:ops")
    page.get_by_label("Column").select_option("tools")
    page.get_by_role("textbox", name="Name").fill("text-metrics")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text('"principal": "client:ops"')).to_be_visible()


def audit(page):
    visit(page, "Audit")
    expect(page.get_by_role("cell", name="client:ops").first).to_be_visible()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Nothing is wrong in")).to_be_visible()
    accessible(page, "the audit trail")
    shot(page, "audit")


def live(page):
    """What changes is told: nothing is loaded again by hand."""
    visit(page, "Now")
    expect(page.get_by_role("link", name="text-metrics")).to_be_visible(timeout=10_000)


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


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=given["chromium"], args=["--no-sandbox"])
    said = []
    for scheme in ["light", "dark"]:
        page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 900})
        page.on("console", lambda message: said.append(message.text) if message.type == "error" and "401" not in message.text else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        enter(page)
        every_page(page, scheme)
        if scheme == "light":
            unexpected = list(said)
            assert not unexpected, unexpected
            call_a_tool(page)
            live(page)
            approve(page)
            forge(page)
            topics(page)
            matrix(page)
            audit(page)
            keyboard(page)
            page.get_by_role("button", name="Forget token").click()
            expect(page.get_by_label("Token")).to_be_visible()
        page.close()
    phone = browser.new_page(viewport={"width": 380, "height": 800})
    enter(phone)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a phone has to scroll sideways"
    accessible(phone, "a phone")
    shot(phone, "phone")
    browser.close()
print("walked")
