"use strict";
// Joins the table of genes, the search, the maps and the genome browser: igv.js, or gene_map.js where that is not there.
(async () => {
  const place = document.getElementById("browser");
  if (!place) return;
  const genome = JSON.parse(document.getElementById("genome-data").textContent);
  const genes = genome.genes, table = document.getElementById("genes"), detail = document.getElementById("gene-detail");
  const columns = table ? JSON.parse(document.getElementById("genes-data").textContent) : [];
  const MARGIN = 0.6, FIRST_BP = 30000, COLOURS = ["#c4532f", "#0b7a75"], UNSURE = ["#e9b9a6", "#9fcfcc"], RNA = "#6d5296";

  function describe(row) {
    detail.replaceChildren();
    const list = document.createElement("dl");
    for (const column of columns) {
      const value = column.values[row];
      if (value === null || value === "") continue;
      const entry = document.createElement("div"), name = document.createElement("dt"), text = document.createElement("dd");
      name.textContent = column.title;
      text.textContent = typeof value === "number" && column.digits !== null ? value.toLocaleString("en-US", { maximumFractionDigits: column.digits }) : value;
      entry.append(name, text);
      list.append(entry);
    }
    detail.append(list);
    document.querySelectorAll(".circle .chosen").forEach(arc => arc.classList.remove("chosen"));
    document.querySelectorAll(`.circle [data-row="${row}"]`).forEach(arc => arc.classList.add("chosen"));
  }

  function choose(row, moves = true) {
    describe(row);
    if (!moves) return;
    const width = genes.end[row] - genes.start[row], margin = Math.max(width * MARGIN, 500);
    map.show(genes.record[row], genes.start[row] - margin, genes.end[row] + margin);
    place.scrollIntoView({ block: "nearest" });  // table and maps lie below it
  }

  // "id:start-end" or "start-end" of the first record, 1-based and inclusive, with or without commas
  function locusOf(text) {
    const found = text.trim().match(/^(?:(.+):)?([\d,]+)\s*(?:-|–|\.\.)\s*([\d,]+)$/);
    if (!found) return null;
    const record = found[1] === undefined ? 0 : genome.records.findIndex(each => each.id === found[1]);
    const start = Number(found[2].replaceAll(",", "")) - 1, end = Number(found[3].replaceAll(",", ""));
    return record < 0 || !(start < end) ? null : { record, start: Math.max(start, 0), end };
  }

  function search(event) {
    const locus = locusOf(event.detail);
    if (!locus) return;
    event.preventDefault();
    map.show(locus.record, locus.start, locus.end);
    const rows = genes.start.map((_, row) => row).filter(
      row => genes.record[row] === locus.record && genes.start[row] < locus.end && genes.end[row] > locus.start);
    table.dispatchEvent(new CustomEvent("row-show", { detail: rows }));
  }

  function bytesOf(text) {
    const letters = atob(text), bytes = new Uint8Array(letters.length);
    for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    return bytes;
  }

  async function unpacked(text) {
    const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Bins of a track become features only where they are looked at.
  function reader(track) {
    const numbers = new Map(genome.records.map((record, i) => [record.name, i])), values = new Map();
    return {
      async readFeatures(chr, start, end) {
        const number = numbers.get(chr), packed = track.values[number];
        if (!packed) return [];
        if (!values.has(number)) values.set(number, await unpacked(packed.data));
        const steps = values.get(number), features = [], { bin } = packed;
        for (let i = Math.max(Math.floor(start / bin), 0); i < Math.min(Math.ceil(end / bin), steps.length); i++) {
          if (steps[i]) features.push({ chr, start: i * bin, end: (i + 1) * bin, value: steps[i] / 255 });
        }
        return features;
      },
    };
  }

  function features() {
    const alternatives = new Set(genes.alternatives);
    return genes.start.map((start, row) => {
      const isPlus = genes.strand[row], score = genes.score[row];
      const isUnsure = alternatives.has(row) || (score !== null && score < 0.5);
      const feature = {
        chr: genome.records[genes.record[row]].name, start, end: genes.end[row], name: genes.label[row],
        strand: isPlus ? "+" : "-", color: (isUnsure ? UNSURE : COLOURS)[isPlus], row,
      };
      const parts = genes.parts[row];
      if (parts) feature.exons = parts.map(([from, to]) => ({ start: from, end: to }));
      return feature;
    });
  }

  function rnaFeatures({ record, start, end, strand, label }) {
    return start.map((from, i) => ({
      chr: genome.records[record[i]].name, start: from, end: end[i], name: label[i], strand: strand[i] ? "+" : "-", color: RNA,
    }));
  }

  function tracks() {
    const all = features(), alternatives = genes.alternatives.length;
    const scores = all.filter(each => genes.score[each.row] !== null)
      .map(({ chr, start, end, row, color }) => ({ chr, start, end, color, value: genes.score[row] }));
    const made = [{
      name: "genes", type: "annotation", features: all, displayMode: "EXPANDED", height: alternatives ? 130 : 90, maxRows: 6, order: 1,
      searchable: true, removable: false,
    }];
    if (genome.rna) made.push({
      name: "RNA genes", type: "annotation", features: rnaFeatures(genome.rna), displayMode: "COLLAPSED", height: 36, order: 1.5,
      removable: false,
    });
    const wig = { type: "wig", min: 0, max: 1, autoscale: false, height: 44, removable: false };
    if (scores.length) made.push({ ...wig, name: "confidence", features: scores, color: COLOURS[1], order: 2 });
    genome.tracks.forEach((track, i) => made.push({
      ...wig, name: track.name, reader: reader(track), color: COLOURS[track.strand], order: 3 + i, height: 36, visibilityWindow: -1,
    }));
    return made;
  }

  async function withIgv(inside) {
    const first = genome.records[0], start = genes.start.length && genes.record[0] === 0 ? Math.max(genes.start[0] - 500, 0) : 0;
    const sizes = genome.records.map(record => `${record.name}\t${record.length}\n`);
    const sequence = genome.sequence
      ? { twoBitURL: new File([bytesOf(genome.sequence)], "genome.2bit") }
      : { fastaURL: new File(sizes, "genome.sizes"), format: "chromsizes" };
    const browser = await igv.createBrowser(inside, {
      reference: { id: "genome", name: " ", ...sequence, wholeGenomeView: false }, tracks: tracks(), loadDefaultGenomes: false,
      search: false, showSVGButton: false, showSampleNames: false, showCenterGuideButton: false, showCursorTrackingGuideButton: false,
      showMultiSelectButton: false, showChromosomeWidget: genome.records.length > 1, showTrackLabelButton: false,
      locus: `${first.name}:${start + 1}-${Math.min(start + FIRST_BP, first.length)}`,
    });
    for (const part of inside.shadowRoot.children) part.style.colorScheme = "light";  // it is drawn on white, dark page or not
    const names = new Map(genome.records.map((record, i) => [record.name, i]));
    const tell = frames => {
      const frame = Array.isArray(frames) ? frames[0] : frames;
      place.dataset.locus = `${names.get(frame.chr)}:${Math.round(frame.start)}-${Math.round(frame.end)}`;
    };
    browser.on("locuschange", tell);
    browser.on("trackclick", (track, data, at, clicked) => {
      const gene = (clicked ?? []).find(each => each.row !== undefined);
      if (gene) choose(gene.row, false);
      return false;  // no window of igv's own over the page
    });
    tell(browser.referenceFrameList);
    return {
      show(record, from, to) {
        const { name, length } = genome.records[record];
        return browser.search(`${name}:${Math.max(Math.round(from), 0) + 1}-${Math.min(Math.round(to), length)}`);
      },
    };
  }

  let map = { show() {} };
  if (table) {
    table.addEventListener("row-chosen", event => choose(event.detail));
    table.addEventListener("table-search", search);
  }
  document.querySelectorAll(".circle").forEach(circle => circle.addEventListener("click", event => {
    const arc = event.target.closest("[data-row]");
    if (arc) choose(Number(arc.dataset.row));
  }));
  const inside = place.appendChild(document.createElement("div"));
  try {
    map = await withIgv(inside);
    place.dataset.ready = "igv";
  } catch (error) {
    if (window.igv) console.error(error);  // where it is not there, nothing is wrong
    inside.remove();
    map = makeGeneMap(place, genome, row => choose(row, false));
    place.dataset.ready = "map";
  }
})();
