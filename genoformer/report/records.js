"use strict";
// A click on a row of the table of records opens what is drawn of the record.
(() => {
  const table = document.getElementById("records");
  if (!table) return;
  table.addEventListener("row-chosen", event => {
    const shown = document.getElementById(`record-${event.detail}`);
    if (!shown) return;
    shown.open = true;
    shown.scrollIntoView({ block: "start" });
  });
})();
