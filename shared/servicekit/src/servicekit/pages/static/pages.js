// What pages do beyond plain HTML. Everything here only makes better what works without it: links, forms, buttons.
"use strict";

// Every request that htmx sends bears the token that our pages carry.
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = document.querySelector('meta[name="csrf-token"]').content;
});

// Times are written for where the person is.
function tellTimes(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.dataset.locale, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[data-moment]")) {
    time.textContent = format.format(new Date(time.dateTime));
    time.removeAttribute("data-moment");
  }
}

// A form that was refused begins with the reason: there one reads on.
function focusReason(root) {
  const reason = root.querySelector("[data-focus]");
  if (reason) reason.focus();
}

function opened(root) {
  tellTimes(root);
  focusReason(root);
}

// Dialogs: a button with data-open="ID" opens one. What htmx puts into #popup opens that. The browser keeps the focus
// inside, gives it back afterwards, and closes by Esc.
const popup = () => document.getElementById("popup");

document.addEventListener("click", (event) => {
  const opens = event.target.closest("[data-open]");
  if (opens) document.getElementById(opens.dataset.open).showModal();
  const closes = event.target.closest("[data-close]");
  if (closes) closes.closest("dialog") ? closes.closest("dialog").close() : history.back();
  if (event.target instanceof HTMLDialogElement && outside(event, event.target)) event.target.close();
  const copies = event.target.closest("[data-copy]");
  if (copies) copy(document.getElementById(copies.dataset.copy));
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Selected besides: without TLS browsers give no access to the clipboard, and Ctrl+C does it.
function copy(element) {
  getSelection().selectAllChildren(element);
  if (!navigator.clipboard) say("It is selected: copy it with Ctrl+C.");
  else navigator.clipboard.writeText(element.textContent).then(() => say("Copied."), () => say("It is selected: copy it with Ctrl+C."));
}

function outside(event, dialog) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Not before it is settled: until then what is in there does without htmx what it does without a script.
document.addEventListener("htmx:afterSettle", (event) => {
  opened(event.target);
  if (event.detail.target === popup()) {
    const title = popup().querySelector("h1, h2");
    if (title) popup().setAttribute("aria-label", title.textContent);
    if (!popup().open) popup().showModal();
  }
});

// A form in the pop-up was carried out (Page.done).
document.addEventListener("done", (event) => {
  if (popup().open) popup().close();
  if (event.detail.said) say(event.detail.said);
  for (const region of document.querySelectorAll("[data-live]")) htmx.trigger(region, "live");
});

// A short word at the edge of the page; one with a way back stays.
function say(text) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const words = document.createElement("p");
  words.textContent = text;
  toast.append(words);
  document.getElementById("toasts").append(toast);
}

function letGo(toast) {
  if (toast.querySelector("form") || toast.classList.contains("bad")) return;
  setTimeout(() => toast.remove(), 8000);
}

// Regions keep themselves up to date: one stream tells for all of them when something has changed.
const live = { source: null, asked: "" };

function stampsOf(region) {
  return Object.fromEntries(region.dataset.live.split(" ").filter(Boolean).map((each) => {
    const cut = each.lastIndexOf("=");
    return [each.slice(0, cut), each.slice(cut + 1)];
  }));
}

function follow() {
  const seen = Object.assign({}, ...[...document.querySelectorAll("[data-live]")].map(stampsOf));
  const asked = Object.keys(seen).sort().join(" ");
  if (asked === live.asked) return;
  live.asked = asked;
  if (live.source) live.source.close();
  live.source = null;
  if (!asked) return;
  const query = Object.entries(seen).map(([topic, stamp]) => "at=" + encodeURIComponent(topic + "=" + stamp));
  live.source = new EventSource("/live?" + query.join("&"));
  live.source.onmessage = (message) => bringUpToDate(JSON.parse(message.data));
}

function bringUpToDate(changed) {
  for (const region of document.querySelectorAll("[data-live]")) {
    const seen = stampsOf(region);
    if (!Object.entries(changed).some(([topic, stamp]) => topic in seen && seen[topic] !== stamp)) continue;
    if (busy(region)) region.dataset.stale = "";
    else htmx.trigger(region, "live");
  }
}

// What is scrolled within a region stays where it was: data-scrolled="NAME" bears a name that the new one has too.
const scrolled = (root) => root.querySelectorAll("[data-scrolled]");
const places = new Map();

document.addEventListener("htmx:beforeSwap", (event) => {
  for (const each of scrolled(event.detail.target)) places.set(each.dataset.scrolled, [each.scrollLeft, each.scrollTop]);
});

document.addEventListener("htmx:afterSettle", (event) => {
  for (const each of scrolled(event.target)) each.scrollTo(...(places.get(each.dataset.scrolled) || [0, 0]));
});

// Nothing is taken from under someone's hands: a region where they type waits until they are done.
function busy(region) {
  return region.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")
    || region.querySelector("dialog[open]") !== null;
}

document.addEventListener("focusout", () => setTimeout(() => {
  for (const region of document.querySelectorAll("[data-live][data-stale]")) {
    if (!busy(region)) htmx.trigger(region, "live");
  }
}));

addEventListener("pagehide", () => {
  if (live.source) live.source.close();
  live.asked = "";
});
addEventListener("pageshow", follow);
document.addEventListener("htmx:afterSettle", follow);

// What was typed is kept for the case that the sign-in had ended: it comes back with the form.
const DRAFT = "typed";

function keepDraft(form) {
  if (!form || form.method !== "post" || form.querySelector('input[type="password"]')) return;
  const typed = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrf_token");
  sessionStorage.setItem(DRAFT, JSON.stringify({ path: location.pathname, action: form.getAttribute("action"), typed }));
}

document.addEventListener("submit", (event) => keepDraft(event.target));

// A part of the page asked (totals, say), and is answered by being led to the sign-in.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (event.detail.xhr.status === 401) keepDraft(event.target.closest("form") || popup().querySelector("form"));
});

function bringBackDraft() {
  const kept = JSON.parse(sessionStorage.getItem(DRAFT) || "null");
  if (!kept || location.pathname === "/sign-in") return;
  sessionStorage.removeItem(DRAFT);
  if (kept.path !== location.pathname || !document.referrer.includes("/sign-in")) return;
  const form = formOf(kept.action);
  if (form) fillIn(form, kept.typed);
  else reopen(kept);
}

const formOf = (action) => [...document.forms].find((each) => each.getAttribute("action") === action);

// It stood in a pop-up, which the link to the same address opens.
function reopen(kept) {
  const link = [...document.querySelectorAll('[hx-target="#popup"]')].find((each) => each.getAttribute("hx-get") === kept.action);
  if (!link) return;
  document.addEventListener("htmx:afterSettle", function shown(event) {
    if (event.detail.target !== popup()) return;
    document.removeEventListener("htmx:afterSettle", shown);
    const form = formOf(kept.action);
    if (form) fillIn(form, kept.typed);
  });
  link.click();
}

// The version comes back, too: what others have saved meanwhile is not overwritten unseen. Lines that the form does not
// have yet come by its button, or from the page that draws them anew (data-redraw).
function fillIn(form, typed) {
  const missing = ([name]) => name.startsWith("line_items.") && !form.elements.namedItem(name);
  const more = form.querySelector("button[data-more]");
  for (const each of typed) if (more && missing(each)) more.click();
  if (form.dataset.redraw && typed.some(missing)) {
    const values = Object.fromEntries(typed);
    htmx.ajax("POST", form.dataset.redraw, { target: "#editor", select: "#editor", swap: "outerHTML", values });
  }
  for (const field of form.elements) {
    const values = typed.filter(([name]) => name === field.name).map(([, value]) => value);
    if (!values.length) continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
    else if (!(form.elements.namedItem(field.name) instanceof RadioNodeList)) field.value = values[0];
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
  say("You were signed out meanwhile. What you had typed is back; save it again.");
}

// A number field must not change because someone scrolls over it.
document.addEventListener("wheel", (event) => {
  if (event.target.type === "number") event.target.blur();
}, { passive: true });

document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) if (node instanceof HTMLElement) letGo(node);
    }
  }).observe(document.getElementById("toasts"), { childList: true });
  document.querySelectorAll("#toasts .toast").forEach(letGo);
  // On a narrow window the navigation is cut off: one sees at least where one is.
  for (const here of document.querySelectorAll("nav [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });
  opened(document);
  bringBackDraft();
});
