"use strict";
// A column's button sorts its table, each group of rows below its own heading: rising, then falling. Cells without a
// value stay last.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const heading = button.closest("th");
    const rising = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const isNumber = heading.classList.contains("number");
    const valueOf = (row) => {
      const text = row.cells[heading.cellIndex].textContent.trim();
      if (text === "–") return null;
      return isNumber ? parseFloat(text.replace("−", "-")) : text;
    };
    const compare = new Intl.Collator(undefined, { numeric: true }).compare;
    for (const body of heading.closest("table").tBodies) {
      const rows = Array.from(body.querySelectorAll("tr:not(.group)"), (row) => [valueOf(row), row]);
      rows.sort(([a], [b]) => {
        if (a === null || b === null) return (a === null) - (b === null);
        const order = isNumber ? a - b : compare(a, b);
        return rising ? order : -order;
      });
      body.append(...rows.map(([, row]) => row));
    }
  });
}
