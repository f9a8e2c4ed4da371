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
  if (pressedOutside && event.target instanceof HTMLDialogElement && outside(event, event.target)) leave(event.target);
  const copies = event.target.closest("[data-copy]");
  if (copies) copy(document.getElementById(copies.dataset.copy));
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Who marks a text in a dialog and lets the button go beside it has not clicked beside it.
let pressedOutside = false;

document.addEventListener("pointerdown", (event) => {
  pressedOutside = event.target instanceof HTMLDialogElement && outside(event, event.target);
});

// What was typed into a dialog is not lost by a slip: Esc or a click beside it asks first. "Cancel" says it already.
function noteTyping(event) {
  const form = "form" in event.target ? event.target.form : event.target;  // a box to search with is of no form
  if (form && form.closest && form.closest("dialog form")) form.closest("dialog").dataset.changed = "";
}
for (const kind of ["input", "change", "lines"]) document.addEventListener(kind, noteTyping);
document.addEventListener("close", (event) => { delete event.target.dataset.changed; }, true);

function leave(dialog) {
  if (!("changed" in dialog.dataset) || confirm("Close this and lose what you typed?")) dialog.close();
}

// Where closing is not asked for by a key, such as the way back of a phone.
document.addEventListener("cancel", (event) => {
  if (!(event.target instanceof HTMLDialogElement)) return;
  event.preventDefault();
  leave(event.target);
}, true);

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
  if (event.key !== "Escape" || event.isComposing) return;
  const dialog = event.target.closest("dialog[open]");
  if (dialog) {
    event.preventDefault();  // a second Esc in a row would close it without asking
    leave(dialog);
    return;
  }
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
  const says = (other) => other !== toast && other.textContent.trim() === toast.textContent.trim();
  // What is asked for again and again, while a service is away, is answered by the same each time.
  if (toast.classList.contains("bad") && [...document.querySelectorAll(".toast")].some(says)) toast.remove();
  if (toast.querySelector("form") || toast.classList.contains("bad")) return;
  setTimeout(() => toast.remove(), 8000);
}

// Regions keep themselves up to date: one stream tells for all of them when something has changed. A browser has few
// connections to one host, so a page that nobody sees holds none; seen again, it is told what it missed, by its stamps.
const live = { source: null, asked: "", pause: 0, waiting: 0 };
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60000;

function stampsOf(region) {
  return Object.fromEntries(region.dataset.live.split(" ").filter(Boolean).map((each) => {
    const cut = each.lastIndexOf("=");
    return [each.slice(0, cut), each.slice(cut + 1)];
  }));
}

function follow() {
  if (document.hidden) return;
  const seen = Object.assign({}, ...[...document.querySelectorAll("[data-live]")].map(stampsOf));
  const asked = Object.keys(seen).sort().join(" ");
  if (asked === live.asked) return;
  unfollow();
  live.asked = asked;
  if (!asked) return;
  const query = Object.entries(seen).map(([topic, stamp]) => "at=" + encodeURIComponent(topic + "=" + stamp));
  const source = new EventSource("/live?" + query.join("&"));
  source.onopen = () => { live.pause = 0; };
  source.onmessage = (message) => bringUpToDate(JSON.parse(message.data));
  source.addEventListener("over", () => source.close());  // signed out
  source.onerror = () => {
    // Browsers come back by themselves after a broken connection, but not after an answer such as 503.
    if (source.readyState === EventSource.CLOSED) followLater();
  };
  live.source = source;
}

function unfollow() {
  clearTimeout(live.waiting);
  if (live.source) live.source.close();
  live.source = null;
  live.asked = "";
}

// At random within the pause: after a restart not all come back in the same moment.
function followLater() {
  live.pause = Math.min(live.pause * 2 || FIRST_PAUSE, LONGEST_PAUSE);
  clearTimeout(live.waiting);
  live.waiting = setTimeout(() => {
    unfollow();
    follow();
  }, live.pause * (0.5 + Math.random() / 2));
}

document.addEventListener("visibilitychange", () => document.hidden ? unfollow() : follow());

// A region that could not be fetched still bears its old stamps: followed anew, it is told of again.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.matches("[data-live]") && event.detail.xhr.status !== 200) followLater();
});

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

// The focus, too: by itself htmx gives it back only to what has an id. If what had it is gone, one goes on from the region.
let focused = null;

const CAN_HAVE_FOCUS = "a[href], button, input, select, textarea, summary, [tabindex]";
const label = (each) => each.getAttribute("aria-label") || each.textContent.trim();
const action = (each) => each.form ? each.form.getAttribute("action") : "";
const tells = (each) => [each.tagName, each.getAttribute("href") || action(each) + " " + label(each)].join(" ");
const alike = (region, told) => [...region.querySelectorAll(CAN_HAVE_FOCUS)].filter((each) => tells(each) === told);

document.addEventListener("htmx:beforeSwap", (event) => {
  const region = event.detail.target;
  const active = document.activeElement;
  if (!region.matches("[data-live]") || !region.contains(active)) return;
  const told = tells(active);
  focused = { region: region.id, told, which: alike(region, told).indexOf(active) };
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (!focused || event.target.id !== focused.region) return;
  const found = alike(event.target, focused.told);
  if (!event.target.contains(document.activeElement)) {
    const here = found[focused.which] || found[0] || event.target;
    if (here === event.target) here.tabIndex = -1;
    here.focus({ preventScroll: true });
  }
  focused = null;
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

addEventListener("pagehide", unfollow);
addEventListener("pageshow", follow);
document.addEventListener("htmx:afterSettle", follow);

// A form is sent once, however often one clicks. Not by `disabled`: that would take the focus from the button, and its
// name and value from what is sent.
const PATIENCE = 5000;

function letSend(form) {
  form.removeAttribute("data-sending");
  for (const button of form.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.hasAttribute("data-sending")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.setAttribute("data-sending", "");
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
  // A page that does not come: the answer is a file, or the browser was told to stop.
  if (!form.hasAttribute("hx-post")) setTimeout(() => letSend(form), PATIENCE);
}, true);  // before htmx hears of it

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt.matches("form[data-sending]")) letSend(event.detail.elt);
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(letSend));

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
