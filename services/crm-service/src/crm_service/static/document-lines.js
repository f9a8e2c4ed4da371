// Lines of a document's form: one more, one less. Without it, "Add a line" asks the server.
"use strict";

(() => {
  const NAMED = ["id", "name", "aria-label", "aria-describedby"];

  function numbered(row, number) {
    for (const each of row.querySelectorAll("*")) {
      for (const attribute of NAMED) {
        const value = each.getAttribute(attribute);
        if (value === null) continue;
        each.setAttribute(attribute, value
          .replace(/line_items\.\d+\./, `line_items.${number}.`)
          .replace(/^line-total-\d+$/, `line-total-${number}`)
          .replace(/line \d+$/, `line ${number + 1}`));
      }
    }
  }

  function emptied(row) {
    for (const field of row.querySelectorAll("input")) {
      field.value = field.name.endsWith(".quantity") ? "1" : "";
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
    for (const wrong of row.querySelectorAll(".wrong")) wrong.classList.remove("wrong");
    for (const error of row.querySelectorAll(".error")) error.remove();
    row.querySelector("output").textContent = "";
  }

  function changed(form) {
    [...form.querySelectorAll("[data-line]")].forEach(numbered);
    form.dispatchEvent(new CustomEvent("lines", { bubbles: true }));
  }

  function oneMore(form) {
    const rows = form.querySelectorAll("[data-line]");
    const row = rows[rows.length - 1].cloneNode(true);
    numbered(row, rows.length);
    emptied(row);
    form.querySelector("[data-lines]").append(row);
    changed(form);
    row.querySelector('input:not([type="hidden"])').focus();
  }

  function takeOut(form, row) {
    const next = row.nextElementSibling || row.previousElementSibling;
    if (next) row.remove();
    else emptied(row);
    changed(form);
    (next || row).querySelector('input:not([type="hidden"])').focus();
  }

  document.addEventListener("click", (event) => {
    const form = event.target.closest("form[data-document]");
    if (!form) return;
    if (event.target.closest("[data-more]")) {
      event.preventDefault();
      oneMore(form);
    }
    const out = event.target.closest("[data-take-out]");
    if (out) takeOut(form, out.closest("[data-line]"));
  });

  // What only works with this script is hidden without it.
  const show = (root) => root.querySelectorAll("[data-take-out]").forEach((button) => { button.hidden = false; });
  document.addEventListener("DOMContentLoaded", () => show(document));
  document.addEventListener("htmx:afterSwap", (event) => show(event.target));
})();
