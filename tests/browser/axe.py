"""axe-core, run on pages of the admin: accessibility as a machine can check it."""

from importlib.util import find_spec
from pathlib import Path

from selenium.webdriver.support.ui import WebDriverWait

DESKTOP, TABLET, PHONE = (1280, 900), (768, 1024), (390, 844)
# Themes differ in their colours only.
ABOUT_COLOURS = ["color-contrast", "link-in-text-block"]
# Without importing the package, which would import Playwright.
SOURCE = Path(find_spec("axe_playwright_python").origin).with_name("axe.min.js")
RUN = """
const done = arguments[arguments.length - 1];
/* Colours that are still changing are measured as what they were. */
document.getAnimations().forEach((each) => each.finish());
const [rules, within] = arguments;
const options = rules ? {runOnly: {type: "rule", values: rules}} : {};
axe.run(document, {resultTypes: ["violations"], preload: false, ...options}).then(
  (result) => done(result.violations.flatMap((rule) => rule.nodes.filter((node) =>
    !within || document.querySelector(node.target[0]).closest(within)
  ).map((node) => ({
    rule: rule.id, target: node.target.join(" "), html: node.html.slice(0, 300),
    summary: node.failureSummary,
  })))), (error) => done([{rule: String(error), target: "", html: "", summary: ""}]));
"""


def show(browser, *, theme, size):
    """Set the colour scheme and the size of the window, without loading the page again."""
    width, height = size
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    features = [
        {"name": "prefers-color-scheme", "value": theme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def violations(browser, *, rules=None, within=None):
    """Return what axe, or only its ``rules``, finds on the page or in the elements ``within``, a selector,
    and errors in the console, as lines."""
    errors = [each["message"] for each in browser.get_log("browser") if each["level"] == "SEVERE"]
    if not browser.execute_script("return typeof window.axe === 'object'"):
        # Scripts of the protocol are not subject to the page's policy.
        browser.execute_cdp_cmd("Runtime.evaluate", {"expression": SOURCE.read_text()})
    # What is being fetched is faded until it is there.
    WebDriverWait(browser, 30).until(
        lambda page: not page.find_elements("css selector", '[aria-busy="true"]')
    )
    found = browser.execute_async_script(RUN, rules, within)
    # The styles that axe tries on elements are refused by the page's policy, which the console reports.
    browser.get_log("browser")
    return errors + [
        ": ".join((each["rule"], each["target"], each["html"], each["summary"])) for each in found
    ]
