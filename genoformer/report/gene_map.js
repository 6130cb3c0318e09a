"use strict";
// A map of genes along a sequence, drawn as SVG: what a page has where igv.js was not at hand.
function makeGeneMap(place, genome, choose) {
  const SVG = "http://www.w3.org/2000/svg", HEIGHT = 150, ROWS = [62, 96], GENE = 24, LOWEST_BP = 200;
  const state = { record: 0, start: 0, end: Math.min(genome.records[0].length, 20000) };
  const alternatives = new Set(genome.genes.alternatives);

  function draw(name, attributes, parent, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.appendChild(made);
    return made;
  }

  const bar = document.createElement("div");
  bar.className = "controls";
  const where = document.createElement("span");
  const steps = [["«", "To the left", -0.8, 1], ["»", "To the right", 0.8, 1], ["−", "Show more", 0, 2], ["+", "Show less", 0, 0.5]];
  for (const [text, label, move, zoom] of steps) {
    const button = document.createElement("button");
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => {
      const width = state.end - state.start, middle = (state.start + state.end) / 2 + move * width;
      show(state.record, middle - width * zoom / 2, middle + width * zoom / 2);
    });
    bar.appendChild(button);
  }
  bar.appendChild(where);
  place.appendChild(bar);
  const svg = draw("svg", { class: "gene-map", height: HEIGHT, role: "img", "aria-label": "Map of genes" }, place);
  svg.addEventListener("click", event => {
    const gene = event.target.closest("[data-row]");
    if (gene) choose(Number(gene.dataset.row));
  });

  function arrow(x1, x2, y, isPlus) {
    const tip = Math.min(9, x2 - x1), top = y - GENE / 2, low = y + GENE / 2;
    return isPlus ? `M${x1} ${top}H${x2 - tip}L${x2} ${y}L${x2 - tip} ${low}H${x1}Z` : `M${x2} ${top}H${x1 + tip}L${x1} ${y}L${x1 + tip} ${low}H${x2}Z`;
  }

  function show(record, start, end) {
    const length = genome.records[record].length, width = Math.min(Math.max(end - start, LOWEST_BP), length);
    state.record = record;
    state.start = Math.round(Math.min(Math.max((start + end - width) / 2, 0), length - width));
    state.end = Math.round(state.start + width);
    redraw();
  }

  function redraw() {
    const pixels = place.clientWidth || 600, scale = pixels / (state.end - state.start), genes = genome.genes;
    const { id } = genome.records[state.record];
    where.textContent = `${id}: ${(state.start + 1).toLocaleString("en-US")}–${state.end.toLocaleString("en-US")}`;
    place.dataset.locus = `${state.record}:${state.start}-${state.end}`;
    svg.setAttribute("viewBox", `0 0 ${pixels} ${HEIGHT}`);
    svg.replaceChildren();
    draw("line", { x1: 0, x2: pixels, y1: 79, y2: 79, class: "axis" }, svg);
    const step = 10 ** Math.floor(Math.log10((state.end - state.start) / 3));
    for (let at = Math.ceil(state.start / step) * step; at <= state.end; at += step) {
      const x = (at - state.start) * scale;
      draw("line", { x1: x, x2: x, y1: 22, y2: 28, class: "axis" }, svg);
      if (x > 20 && x < pixels - 30 && (at / step) % 2 === 0) draw("text", { x, y: 16, "text-anchor": "middle" }, svg, at.toLocaleString("en-US"));
    }
    if (genome.rna) drawRna(genome.rna, scale);
    for (let row = 0; row < genes.start.length; row++) {
      if (alternatives.has(row)) continue;  // it would lie on the best transcript of its gene
      if (genes.record[row] !== state.record || genes.start[row] >= state.end || genes.end[row] <= state.start) continue;
      const isPlus = genes.strand[row] === 1, y = ROWS[isPlus ? 0 : 1];
      const x1 = (genes.start[row] - state.start) * scale, x2 = Math.max((genes.end[row] - state.start) * scale, x1 + 1);
      const group = draw("g", { "data-row": row, class: "gene" }, svg);
      draw("title", {}, group, genes.label[row]);
      draw("path", { d: arrow(x1, x2, y, isPlus), class: isPlus ? "fill-0" : "fill-1" }, group);
      if (x2 - x1 > 7 * genes.label[row].length) draw("text", { x: (x1 + x2) / 2, y: y + (isPlus ? -18 : 28), "text-anchor": "middle" }, group, genes.label[row]);
    }
  }

  // Genes of RNA lie on the line between the strands.
  function drawRna({ record, start, end, label }, scale) {
    for (let i = 0; i < start.length; i++) {
      if (record[i] !== state.record || start[i] >= state.end || end[i] <= state.start) continue;
      const group = draw("g", { class: "rna" }, svg), width = Math.max((end[i] - start[i]) * scale, 1);
      draw("title", {}, group, label[i]);
      draw("rect", { x: (start[i] - state.start) * scale, y: 75, width, height: 8, fill: "#6d5296" }, group);
    }
  }

  window.addEventListener("resize", redraw);
  show(0, state.start, state.end);
  return { show };
}
