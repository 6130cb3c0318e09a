"use strict";
// Tables that are sorted, searched and leafed through. Everything is drawn with textContent: values are never markup.
(() => {
  const ROWS = 25;

  function make(name, parent, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    if (parent) parent.appendChild(made);
    return made;
  }

  function shown(column, value) {
    if (value === null) return "";
    if (column.digits === null || typeof value !== "number") return String(value);
    return value.toLocaleString("en-US", { minimumFractionDigits: column.digits, maximumFractionDigits: column.digits });
  }

  function ordered(rows, values, isDown) {
    const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b
      : String(a).localeCompare(String(b), "en", { numeric: true });
    return rows.sort((i, j) => {
      const a = values[i], b = values[j];
      if (a === null || b === null) return (a === null) - (b === null) || i - j;
      return (isDown ? -compare(a, b) : compare(a, b)) || i - j;
    });
  }

  function setUp(place) {
    const columns = JSON.parse(document.getElementById(place.id + "-data").textContent);
    const length = columns.length ? columns[0].values.length : 0;
    const texts = columns.filter(column => column.digits === null);
    const words = Array.from({ length }, (_, i) => texts.map(c => c.values[i] ?? "").join("\n").toLowerCase());
    const state = { rows: words.map((_, i) => i), only: null, sorted: null, isDown: false, page: 0, chosen: null };

    const controls = make("div", place, undefined, "controls");
    const search = make("input", controls);
    Object.assign(search, { type: "search", placeholder: place.dataset.hint, autocomplete: "off" });
    search.setAttribute("aria-label", place.dataset.hint);
    const back = make("button", controls, "‹"), count = make("span", controls, "", "count"), on = make("button", controls, "›");
    back.setAttribute("aria-label", "Earlier rows");
    on.setAttribute("aria-label", "Further rows");
    count.setAttribute("aria-live", "polite");
    const table = make("table", make("div", place, undefined, "scroll"));
    const headings = make("tr", make("thead", table)), body = make("tbody", table);

    function draw() {
      const first = state.page * ROWS, seen = state.rows.slice(first, first + ROWS);
      body.replaceChildren(...seen.map(drawRow));
      const range = seen.length ? `${(first + 1).toLocaleString("en-US")}–${(first + seen.length).toLocaleString("en-US")} of ` : "";
      count.textContent = seen.length ? range + state.rows.length.toLocaleString("en-US") : "Nothing found";
      back.disabled = state.page === 0;
      on.disabled = first + ROWS >= state.rows.length;
    }

    function drawRow(i) {
      const row = make("tr");
      row.tabIndex = 0;
      row.dataset.row = i;
      if (i === state.chosen) row.setAttribute("aria-selected", "true");
      for (const column of columns) make("td", row, shown(column, column.values[i]), column.digits === null ? "text" : "number");
      return row;
    }

    function choose(event) {
      const row = event.target.closest("tr");
      if (!row || (event.type === "keydown" && event.key !== "Enter")) return;
      state.chosen = Number(row.dataset.row);
      for (const other of body.children) other.toggleAttribute("aria-selected", false);
      row.setAttribute("aria-selected", "true");
      place.dispatchEvent(new CustomEvent("row-chosen", { detail: state.chosen }));
    }

    function filter() {
      const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const among = state.only ?? words.map((_, i) => i);
      state.rows = state.only ? [...among] : among.filter(i => wanted.every(word => words[i].includes(word)));
      if (state.sorted !== null) ordered(state.rows, columns[state.sorted].values, state.isDown);
      state.page = 0;
      draw();
    }

    columns.forEach((column, number) => {
      const heading = make("th", headings, undefined, column.digits === null ? "" : "number");
      heading.scope = "col";
      const button = make("button", heading, column.title);
      if (column.about) button.title = column.about;
      button.addEventListener("click", () => {
        state.isDown = state.sorted === number && !state.isDown;
        state.sorted = number;
        for (const other of headings.children) other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", state.isDown ? "descending" : "ascending");
        filter();
      });
    });
    search.addEventListener("input", () => {
      const asked = new CustomEvent("table-search", { detail: search.value, cancelable: true });
      state.only = null;
      if (place.dispatchEvent(asked)) filter();  // a page that shows other rows for it says so by cancelling
    });
    search.addEventListener("keydown", event => {
      if (event.key === "Enter" && body.firstChild) body.firstChild.click();
    });
    place.addEventListener("row-show", event => { state.only = event.detail; filter(); });
    back.addEventListener("click", () => { state.page -= 1; draw(); });
    on.addEventListener("click", () => { state.page += 1; draw(); });
    body.addEventListener("click", choose);
    body.addEventListener("keydown", choose);
    draw();
  }

  document.querySelectorAll(".data-table").forEach(setUp);
})();
