"""What one does not see of a page: barriers for people with a disability, scripts that fail; and the page in pictures."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request, Response

LAPTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROWEST = {"width": 320, "height": 700}  # WCAG 1.4.10: 1280 pixels at 400%
AXE = Axe()


class Looks:
    """Collects faults; a test asks for them at its end, so that one fault does not hide the others."""

    def __init__(self) -> None:
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
        """axe-core and nothing cut off at laptop and phone size, no sideways scrolling at 320 pixels.

        The page keeps the size that it had.
        """
        page.wait_for_load_state()
        if page.evaluate(r"/<\/?(a|b|br|div|p|span|strong)\b[^<]*>/.test(document.body.innerText)"):
            self.faults.append(f"{name}: HTML that was escaped twice, for all to read")
        own = page.viewport_size
        for size in (LAPTOP, PHONE):
            page.set_viewport_size(size)
            self._axe(page, f"{name} at {size['width']}")
            self.faults += [f"{name} at {size['width']}: cut off in a card: {words}" for words in page.evaluate(CUT_OFF)]
        page.set_viewport_size(NARROWEST)
        too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if too_wide > 0:
            self.faults.append(f"{name} at 320: {too_wide} pixels too wide")
        page.set_viewport_size(own)

    def _axe(self, page: Page, where: str) -> None:
        if not page.evaluate("Boolean(window.axe)"):
            page.evaluate(AXE.axe_script)
        for violation in page.evaluate(VIOLATIONS):
            places = [f"{' '.join(map(str, node['target']))} {node['html'][:160]}" for node in violation["nodes"][:3]]
            self.faults.append(f"{where}: {violation['id']} ({violation['help']}): " + "; ".join(places))


def keep(page: Page, folder: Path, name: str) -> None:
    """The whole page as pictures at laptop and phone size, to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in (LAPTOP, PHONE):
        page.set_viewport_size(size)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=folder / f"{name}-{size['width']}.png", full_page=True)
    page.set_viewport_size(LAPTOP)


def keyboard_faults(page: Page) -> list[str]:
    """Goes over the page with Tab alone, from its top and out at its end.

    Every control must be reached once, in the order of the page, show that it has the focus, and not lie wholly behind a bar.
    """
    page.evaluate("scrollTo(0, 0)")
    grows = page.locator("[data-reader]").count() > 0  # the assessor's: pages come, with links of their own, while one goes on
    names = page.evaluate(STOPS)
    faults, passed = [], []
    for _ in range(300):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None or (passed and found["number"] == passed[0]):  # out of the page, or round again
            break
        if found["number"] in passed:  # the parts of a date field
            continue
        passed.append(found["number"])
        faults += [f"the focus on {found['name']} {fault}" for fault in found["faults"]]
    else:
        faults += [] if grows else [f"Tab does not leave the page after {names[passed[-1]]}"]
    if "#main-content" not in names[0] or passed[:1] != [0]:
        faults.append(f"Tab does not begin with the link to the content but with {names[passed[0]]}")
    if passed != list(range(len(names))) and not grows:
        missed = [name for number, name in enumerate(names) if number not in passed]
        faults.append(f"Tab goes over {len(passed)} of {len(names)} controls, not over {missed[:4]}, in the order {passed}")
    return faults


CUT_OFF = """() => [...document.querySelectorAll(".card")]
    .filter((one) => ["clip", "hidden"].includes(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.innerText.slice(0, 60))"""
VIOLATIONS = """() => Promise.race([
    axe.run({ resultTypes: ["violations"] }).then((found) => found.violations),
    new Promise((_, fail) => setTimeout(() => fail(new Error("axe-core was not done after 90 seconds")), 90_000)),
])"""
STOPS = """() => {
    const controls = "a[href], button, input, select, textarea, summary, iframe, [tabindex]";
    const isOwn = (radio) => {
        if (radio.type !== "radio" || !radio.name) return true;
        const group = [...document.getElementsByName(radio.name)].filter((one) => one.form === radio.form && !one.disabled);
        return radio === (group.find((one) => one.checked) ?? group[0]);
    };
    const stops = [...document.querySelectorAll(controls)].filter((one) => one.tabIndex >= 0
        && !one.disabled && one.type !== "hidden"
        && one.checkVisibility({ visibilityProperty: true }) && isOwn(one));
    window.lookOf = (one) => [one, one.labels?.[0], one.closest(".segmented__options label")].filter(Boolean)
        .flatMap((part) => [null, "::before", "::after"].map((pseudo) => {
            const style = getComputedStyle(part, pseudo);
            return [style.outline, style.boxShadow, style.backgroundColor, style.border].join();
        })).join();
    window.nameOf = (one) => [one.tagName.toLowerCase(), one.getAttribute("href") ?? one.name ?? one.id,
        (one.innerText || one.getAttribute("aria-label") || "").trim().split("\\n")[0].slice(0, 40)].join(" ");
    window.unfocused = new Map(stops.map((one) => [one, window.lookOf(one)]));
    return stops.map(window.nameOf);
}"""
# page.evaluate() has no limit of its own. A frame may never come (it did not, and the tests stood still for an hour), and what is
# thrown in the callback of a frame is lost, so that nobody answers; from an async function it comes out here.
FOCUSED = """async () => {
    await Promise.race([new Promise(requestAnimationFrame), new Promise((done) => setTimeout(done, 1000))]);
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const faults = [];
    if (window.lookOf(one) === window.unfocused.get(one)) faults.push("is not seen");
    const parts = [one, one.labels?.[0]].filter(Boolean);
    const hit = parts.some((part) => [...part.getClientRects()].some((box) =>
        [[0.5, 0.5], [0.05, 0.1], [0.95, 0.1], [0.05, 0.9], [0.95, 0.9]].some(([x, y]) => {
            const top = document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
            return top && (part.contains(top) || top.contains(part) && top.closest("label, button, a") || parts.includes(top));
        })));
    if (!hit) faults.push(`lies behind something, at ${Math.round(one.getBoundingClientRect().top)}`);
    return { number: [...window.unfocused.keys()].indexOf(one), name: window.nameOf(one), faults };
}"""


def motion_faults(page: Page) -> list[str]:
    """What still moves for somebody who asked for less motion."""
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((one) => {
            const style = getComputedStyle(one);
            const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
            return style.animationName !== "none" && lasts(style.animationDuration) || lasts(style.transitionDuration);
        }).map((one) => `${one.tagName.toLowerCase()}.${one.className}`)"""
    )
    page.emulate_media(reduced_motion="no-preference")
    return [f"{one} moves" for one in moving[:3]]


def zoom_faults(page: Page) -> list[str]:
    """What is lost at 200%: words cut off, bars that leave no room to read."""
    own = page.viewport_size
    page.set_viewport_size({"width": LAPTOP["width"] // 2, "height": LAPTOP["height"] // 2})
    found = page.evaluate(
        """() => {
            const faults = [];
            const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
            if (wide > 0) faults.push(`the page is ${wide} pixels too wide`);
            const all = [...document.body.querySelectorAll("*")].filter((one) => one.checkVisibility());
            for (const one of all) {
                const style = getComputedStyle(one);
                const cuts = style.overflowX === "hidden" || style.overflowX === "clip";
                if (cuts && one.clientWidth > 2 && one.scrollWidth > one.clientWidth + 2 && one.innerText?.trim())
                    faults.push(`${one.tagName.toLowerCase()}.${one.className} cuts off “${one.innerText.trim().slice(0, 40)}”`);
            }
            const bars = all.filter((one) => ["fixed", "sticky"].includes(getComputedStyle(one).position)
                && one.getBoundingClientRect().width > innerWidth / 2);
            const taken = bars.reduce((sum, one) => sum + one.offsetHeight, 0);
            if (taken > innerHeight / 2) faults.push(`bars take ${taken} of ${innerHeight} pixels`);
            return faults.slice(0, 5);
        }"""
    )
    page.set_viewport_size(own)
    return [f"at 200%: {fault}" for fault in found]


def print_faults(page: Page) -> list[str]:
    """What would spoil the page on paper: what one cannot press there, addresses after links, pale words, cut-off words."""
    own = page.viewport_size
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins
    found = page.evaluate(
        """() => {
            const faults = [];
            const seen = (one) => one.checkVisibility();
            for (const one of document.querySelectorAll("header, footer, nav.sub-nav, .govuk-button"))
                if (seen(one) && one.innerText.trim()) faults.push(`“${one.innerText.trim().slice(0, 20)}” is printed`);
            for (const one of document.querySelectorAll("main a"))
                if (!["none", "normal"].includes(getComputedStyle(one, "::after").content))
                    faults.push(`something stands after ${one.innerText}`);
            for (const one of document.querySelectorAll("main :is(h1, h2, p)")) {
                const light = Math.min(...getComputedStyle(one).color.match(/[\\d.]+/g).slice(0, 3).map(Number));
                if (seen(one) && light > 130) faults.push(`pale: ${one.innerText}`);
            }
            const wide = document.documentElement.scrollWidth - innerWidth;
            if (wide > 0) faults.push(`${wide} pixels too wide`);
            return faults.slice(0, 4);
        }"""
    )
    page.emulate_media(media="screen")
    page.set_viewport_size(own)
    return [f"on paper: {fault}" for fault in found]
