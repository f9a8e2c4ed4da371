// Potentials are dragged from stage to stage. The same can be done by "Move" on each card.
"use strict";

let dragged = null;

function laneAt(event) {
  return dragged && event.target instanceof Element ? event.target.closest(".lane") : null;
}

function mark(lane) {
  for (const each of document.querySelectorAll(".lane.over")) if (each !== lane) each.classList.remove("over");
  if (lane) lane.classList.add("over");
}

function refresh() {
  htmx.trigger("#board", "live");
}

document.addEventListener("dragstart", (event) => {
  dragged = event.target instanceof Element ? event.target.closest(".deal[draggable]") : null;
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.querySelector(".name").textContent);
  dragged.classList.add("dragged");
});

document.addEventListener("dragover", (event) => {
  const lane = laneAt(event);
  mark(lane);
  if (lane) event.preventDefault();
});

document.addEventListener("drop", (event) => {
  const lane = laneAt(event);
  if (!lane) return;
  event.preventDefault();
  if (lane.contains(dragged)) return;
  const { id, version } = dragged.dataset;
  lane.querySelector("ol").prepend(dragged); // where it will be; what the server says replaces it
  const values = { stage: lane.dataset.stage, version };
  htmx.ajax("POST", `/potentials/${id}/move`, { values, target: "#popup", swap: "innerHTML" });
});

document.addEventListener("dragend", () => {
  if (dragged) dragged.classList.remove("dragged");
  dragged = null;
  mark(null);
  if (missed) refresh();
  missed = false;
});

// Nothing is exchanged while something is in the air.
let missed = false;

document.addEventListener("htmx:beforeRequest", (event) => {
  if (!dragged || event.target.id !== "board") return;
  missed = true;
  event.preventDefault();
});

// Refused: it goes back to where it is.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr.status >= 400 && event.detail.pathInfo.requestPath.endsWith("/move")) refresh();
});
