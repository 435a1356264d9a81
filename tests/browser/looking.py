"""What one does not see of a page: barriers for people with a disability, scripts that fail; and the look itself, in pictures."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import ConsoleMessage, Page, Request, Response

from app.config import ROOT

SCREENS = ROOT / "docs" / "screens"
SHOWN = ("task-list", "section", "check-answers", "receipt", "supervisor-phone", "assessor")
LAPTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROWEST = {"width": 320, "height": 700}  # WCAG 1.4.10: 1280 pixels at 400%
AXE = Axe()


class Looks:
    """Collects faults; a test asks for them at its end, so that one fault does not hide the others."""

    def __init__(self, screens: bool) -> None:
        self.screens = screens
        self.faults: list[str] = []

    def watch(self, page: Page) -> None:
        """Notes scripts that fail, also on what our content security policy forbids."""

        def console(message: ConsoleMessage) -> None:
            if message.type == "error" and not message.text.startswith("Failed to load resource"):
                self.faults.append(f"{page.url}: {message.text}")

        def response(reply: Response) -> None:
            if reply.status >= 500:
                self.faults.append(f"{reply.status} from {reply.request.method} {reply.url}")

        def failed(request: Request) -> None:
            if request.is_navigation_request() and request.failure != "net::ERR_ABORTED":  # aborted: it became a download
                self.faults.append(f"{request.failure} at {request.method} {request.url}")

        page.on("console", console)
        page.on("requestfailed", failed)
        page.on("response", response)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))

    def at(self, page: Page, name: str) -> None:
        """axe-core at laptop and phone size, no sideways scrolling at 320 pixels; the page keeps the size that it had.

        With ``--screens`` the pages of ``SHOWN`` are kept as small PNGs in ``docs/screens``.
        """
        own = page.viewport_size
        for size in (LAPTOP, PHONE):
            page.set_viewport_size(size)
            self._axe(page, f"{name} at {size['width']}")
        page.set_viewport_size(NARROWEST)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if too_wide > 0:
            self.faults.append(f"{name} at 320: {too_wide} pixels too wide")
        page.set_viewport_size(own)
        if self.screens and name in SHOWN:
            self._picture(page, SCREENS / f"{name}.png")

    def _picture(self, page: Page, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=path, animations="disabled", caret="hide")
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)

    def _axe(self, page: Page, where: str) -> None:
        for violation in AXE.run(page).response["violations"]:
            places = [f"{' '.join(map(str, node['target']))} {node['html'][:160]}" for node in violation["nodes"][:3]]
            self.faults.append(f"{where}: {violation['id']} ({violation['help']}): " + "; ".join(places))
