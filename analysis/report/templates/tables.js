// A table sorts by a click on the head of a column; one of many rows has a box that says which rows are shown.
"use strict";

const MANY_ROWS = 8;

/** What a row is sorted by: numbers by value, texts by letter, a dash (not known) behind both. */
function keyOf(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = parseFloat(text.replace(/^[<>] */, ""));
  return { text, number, rank: text === "" || text === "–" ? 2 : Number.isNaN(number) ? 1 : 0 };
}

function compare(a, b) {
  if (a.rank === 0 && b.rank === 0) return a.number - b.number;
  return a.text.localeCompare(b.text, undefined, { numeric: true });
}

function sortBy(table, head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const keyed = [...table.tBodies[0].rows].map((row) => ({
    row, key: keyOf(row, head.cellIndex), last: row.classList.contains("chance"),
  }));
  keyed.sort((a, b) =>
    a.last - b.last || a.key.rank - b.key.rank || (up ? 1 : -1) * compare(a.key, b.key));
  table.tBodies[0].append(...keyed.map((one) => one.row));
}

function makeSortable(table) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  }
}

function makeFiltered(table) {
  const [label, box, count] = ["label", "input", "output"].map((name) => document.createElement(name));
  const rows = [...table.tBodies[0].rows];
  box.type = "search";
  label.append("Show rows with ", box);
  label.className = "filter";
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = box.value ? `${shown} of ${rows.length}` : "";
  });
  label.append(" ", count);
  table.closest(".wide").before(label);
}

for (const table of document.querySelectorAll(".wide > table:not(.heat)")) {
  const rows = table.tBodies[0].rows.length;
  if (rows > 1) makeSortable(table);
  if (rows > MANY_ROWS) makeFiltered(table);
}
