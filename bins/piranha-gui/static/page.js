// What pages do beyond HTML: warn of edits that would be lost, say when live updates break off.
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
})();
