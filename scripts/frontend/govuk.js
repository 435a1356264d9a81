// The behaviour of GOV.UK Frontend that our pages use. Bundled by scripts/vendor_frontend into app/web/static/vendor/govuk.js.
import { Button, ErrorSummary, NotificationBanner, SkipLink, createAll } from "govuk-frontend";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
for (const component of [Button, ErrorSummary, NotificationBanner, SkipLink]) {
  createAll(component);
}
