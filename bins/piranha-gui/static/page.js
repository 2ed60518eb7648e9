// What pages do beyond HTML: warn of edits that would be lost, say when live updates break off, keep
// the reader's place in a part that is drawn anew.
"use strict";
(() => {
  let edited = null;
  let sending = false;
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-edits]");
    if (form) {
      edited = form;
      form.classList.add("edited");
    }
  });
  document.addEventListener("submit", () => { sending = true; });
  window.addEventListener("beforeunload", (event) => {
    if (edited && !sending) event.preventDefault();
  });
  const state = (online) => document.body.classList.toggle("offline", !online);
  document.addEventListener("htmx:sseOpen", () => state(true));
  document.addEventListener("htmx:sseError", () => state(false));

  // Where the keyboard is in the part that is about to be replaced, and which details are open.
  const stops = "a, button, input, select, summary, [tabindex]";
  const called = (it) => it.id || it.href || it.name || it.textContent;
  let place = null;
  const keep = ({ detail: { target } }) => {
    const at = target.contains(document.activeElement) && document.activeElement;
    const open = [...target.querySelectorAll("details")].map((it) => it.open);
    place = { id: target.id, at: at && called(at), open };
  };
  const restore = () => {
    const part = place && document.getElementById(place.id);
    if (!part) return;
    const details = part.querySelectorAll("details");
    if (details.length === place.open.length) details.forEach((it, number) => { it.open = place.open[number]; });
    const again = place.at && [...part.querySelectorAll(stops)].find((it) => called(it) === place.at);
    if (again) again.focus({ preventScroll: true });
    place = null;
  };
  for (const kind of ["htmx:beforeSwap", "htmx:oobBeforeSwap"]) document.addEventListener(kind, keep);
  for (const kind of ["htmx:afterSwap", "htmx:oobAfterSwap"]) document.addEventListener(kind, restore);
})();
