"""The page of a picture copies its prompt, and the title of a run's page counts along."""

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from nb_catalog.models import ImageJob
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import person  # noqa: F401 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_prompt_is_copied_or_selected(person, server):  # noqa: F811
    mug = factories.product(name="Stoneware mug")
    backdrop = factories.image(mug, kind="backdrop")
    asked = factories.spec(mug, prompt="A mug on\nmarble.")
    image = factories.image(mug, parent=backdrop, asked=asked)
    browser = person.browser
    browser.execute_cdp_cmd(
        "Browser.grantPermissions",
        {"origin": server, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]},
    )
    for size in (axe.DESKTOP, axe.PHONE):
        axe.show(browser, theme="light", size=size)
        person.open(f"/admin/nb_catalog/productimage/{image.pk}/change/")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
    person.click("[data-copy]")
    status = "[data-copy] + [role=status]"
    person.wait_for(f"{status}:not(:empty)")
    assert person.wait_for(status).text == "Copied."
    read = "navigator.clipboard.readText().then(arguments[0])"
    assert browser.execute_async_script(read) == "A mug on\nmarble."
    # Without a clipboard, as on a page without TLS, the text is selected.
    browser.execute_script("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    person.click("[data-copy]")
    WebDriverWait(browser, 30).until(lambda _: "is selected" in person.wait_for(status).text)
    assert browser.execute_script("return getSelection().toString()").strip() == "A mug on\nmarble."


def test_the_title_of_a_run_counts_along(person):  # noqa: F811
    run = factories.run()
    job = factories.job(of=run)
    person.open(f"/admin/nb_catalog/run/{run.pk}/change/")
    assert person.browser.title.startswith(f"0 of 1 · Run {run.pk} | ")
    ImageJob.objects.filter(pk=job.pk).update(state="succeeded", live_key=None)
    wanted = f"✓ 1 of 1 · Run {run.pk} | "
    WebDriverWait(person.browser, 60).until(lambda browser: browser.title.startswith(wanted))
