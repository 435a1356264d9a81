"""What looks at pages must itself come to an end, on every page."""

import pytest
from playwright.sync_api import Browser, Error

from browser.looking import FOCUSED, STOPS, keyboard_faults

pytestmark = pytest.mark.browser
LINKS = "<style>a:focus { outline: 3px solid }</style><a href='#a'>a</a> <a href='#b'>b</a>"


def test_keyboard_is_tried_also_when_no_frame_comes(browser: Browser) -> None:
    with browser.new_page() as page:
        page.set_content(LINKS)
        page.evaluate("window.requestAnimationFrame = () => {}")
        assert keyboard_faults(page) == ["Tab does not begin with the link to the content but with a #a a"]


def test_a_page_that_went_away_meanwhile_is_an_error_and_no_endless_wait(browser: Browser) -> None:
    with browser.new_page() as page:
        page.set_content(LINKS)
        page.evaluate(STOPS)
        page.goto("about:blank")
        page.set_content(LINKS)
        page.keyboard.press("Tab")
        with pytest.raises(Error, match="lookOf"):
            page.evaluate(FOCUSED)
