// The plots of the report. Draws SVG from the figures in the page and fetches
// nothing. Whatever comes from data is set as text, never as markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const MARGIN = { top: 10, right: 14, bottom: 40, left: 58 };
  const HEIGHT = 266;

  const shape = (name, attributes, parent, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return parent.appendChild(node);
  };
  const element = (name, parent, text, className) => {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return parent.appendChild(node);
  };

  // Figures as people read them.
  const digits = (value) => {
    const size = Math.abs(value);
    const text = value.toFixed(size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0);
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  };
  const time = (us) => us < 999.95 ? digits(us) + "us" : us < 999950 ? digits(us / 1e3) + "ms" : digits(us / 1e6) + "s";
  const count = (value) => Math.round(value).toLocaleString("en");
  const rate = (value) => digits(value) + "/s";
  const percent = (share) => digits(share * 100) + "%";
  const seconds = (value) => digits(value) + "s";

  // A scale maps values to 0…1 and knows where its ticks are.
  // With `whole`, it ends at a tick.
  const linear = (least, most, format, { ticks = 5, whole = false } = {}) => {
    if (!(most > least)) most = least + 1;
    const rough = (most - least) / ticks;
    const ten = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * ten).find((step) => step >= rough);
    if (whole) most = Math.ceil(most / step - 1e-9) * step;
    const marks = [];
    for (let mark = Math.ceil(least / step) * step; mark <= most + step / 1e6; mark += step) marks.push(mark);
    return { place: (value) => (value - least) / (most - least), marks, format };
  };
  const logarithmic = (least, most, format) => {
    least = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
    most = Math.max(10 ** Math.ceil(Math.log10(Math.max(most, 1) * 1.0001)), least * 10);
    const decades = Math.log10(most / least);
    const marks = [];
    for (let ten = least; ten <= most * 1.0001; ten *= 10) marks.push(ten);
    return { place: (value) => Math.log10(Math.max(value, least) / least) / decades, marks, format };
  };
  // Each further nine of a percentile gets as much room as the one before.
  const nines = (most) => {
    const all = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
    const far = Math.max(-Math.log10(1 - most), 0.4);
    return {
      place: (quantile) => -Math.log10(1 - quantile) / far,
      marks: all.filter((quantile) => quantile <= most + 1e-9),
      format: (quantile) => +(quantile * 100).toFixed(4) + "%",
    };
  };

  // Draws a plot into `host` and again when its width changes.
  //   x, y    scales; `across` says what x is
  //   lines   [{ name, colour, points: [[x, y or null]], bars, wide, format }]
  //   shade   x up to which the ground is shaded
  //   head    the first line of a tooltip, from x
  const plot = (host, title, { x, y, across, lines: all, shade, shadeName, head, barWidth }) => {
    const lines = all.filter((line) => line.points.some(([, value]) => value !== null && value !== undefined));
    host.replaceChildren();
    host.className = "plot";
    element("h3", host, title);
    const legend = element("div", host, undefined, "legend");
    for (const line of lines) {
      const entry = element("span", legend);
      element("i", entry).style.background = `var(--${line.colour})`;
      entry.append(line.name);
    }
    if (shade > 0) {
      const entry = element("span", legend);
      element("i", entry).style.cssText = "background: var(--shade); height: .7rem";
      entry.append(shadeName);
    }
    const svg = shape("svg", { role: "img", "aria-label": title, height: HEIGHT }, host);
    const tip = element("div", host, undefined, "tip");
    const stops = [...new Set(lines.flatMap((line) => line.points.map(([at]) => at)))].sort((a, b) => a - b);
    const lookup = lines.map((line) => new Map(line.points));
    let width = 0;

    const left = (value) => MARGIN.left + x.place(value) * (width - MARGIN.left - MARGIN.right);
    const top = (value) => HEIGHT - MARGIN.bottom - y.place(value) * (HEIGHT - MARGIN.top - MARGIN.bottom);

    const axes = () => {
      if (shade > 0) {
        const until = Math.min(left(shade), width - MARGIN.right);
        shape("rect", { class: "shade", x: MARGIN.left, y: MARGIN.top, width: Math.max(until - MARGIN.left, 0), height: HEIGHT - MARGIN.top - MARGIN.bottom }, svg);
      }
      for (const mark of y.marks) {
        const at = top(mark);
        shape("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at }, svg);
        shape("text", { x: MARGIN.left - 6, y: at + 4, "text-anchor": "end" }, svg, y.format(mark));
      }
      let free = -Infinity;
      for (const mark of x.marks) {
        const at = left(mark), text = x.format(mark), half = text.length * 3.2;
        shape("line", { class: "grid", x1: at, x2: at, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }, svg);
        // Labels that would touch are left out.
        if (at - half < free) continue;
        free = at + half + 4;
        const anchor = at + half > width ? "end" : "middle";
        shape("text", { x: anchor === "end" ? width - 2 : at, y: HEIGHT - MARGIN.bottom + 15, "text-anchor": anchor }, svg, text);
      }
      shape("text", { x: (MARGIN.left + width - MARGIN.right) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, svg, across);
      shape("line", { class: "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: HEIGHT - MARGIN.bottom, y2: HEIGHT - MARGIN.bottom }, svg);
    };

    const curve = ({ points, colour, bars, wide }) => {
      if (bars) {
        for (const [at, value] of points) {
          if (!value) continue;
          const from = left(at) + 0.5, to = left(at + barWidth) - 0.5;
          shape("rect", { x: from, width: Math.max(to - from, 1), y: top(value), height: Math.max(HEIGHT - MARGIN.bottom - top(value), 1), fill: `var(--${colour})` }, svg);
        }
        return;
      }
      let path = "", run = 0;
      points.forEach(([at, value], index) => {
        if (value === null || value === undefined) { run = 0; return; }
        path += `${run++ ? "L" : "M"}${left(at).toFixed(1)} ${top(value).toFixed(1)}`;
        const next = points[index + 1];
        // A point without neighbours has no line to be seen by.
        if (run === 1 && (!next || next[1] === null)) shape("circle", { cx: left(at), cy: top(value), r: 2.5, fill: `var(--${colour})` }, svg);
      });
      shape("path", { d: path, fill: "none", stroke: `var(--${colour})`, "stroke-width": wide ? 6 : 2, "stroke-opacity": wide ? 0.45 : 1, "stroke-linejoin": "round" }, svg);
    };

    let cursor;
    const draw = () => {
      width = Math.max(host.clientWidth - 18, 240);
      svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      svg.replaceChildren();
      axes();
      lines.forEach(curve);
      cursor = shape("line", { class: "cursor", y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, visibility: "hidden" }, svg);
    };

    const point = (event) => {
      const box = svg.getBoundingClientRect();
      const pointer = (event.clientX - box.left) * width / box.width;
      const middle = (stop) => left(stop + (barWidth || 0) / 2);
      let nearest = stops[0];
      for (const stop of stops) if (Math.abs(middle(stop) - pointer) < Math.abs(middle(nearest) - pointer)) nearest = stop;
      if (nearest === undefined) return;
      tip.replaceChildren();
      element("div", tip, head(nearest), "quiet");
      lines.forEach((line, index) => {
        const value = lookup[index].get(nearest);
        const row = element("div", tip);
        element("i", row).style.background = `var(--${line.colour})`;
        row.append(`${line.name} ${value === null || value === undefined ? "n/a" : line.format(value)}`);
      });
      const at = middle(nearest);
      cursor.setAttribute("x1", at);
      cursor.setAttribute("x2", at);
      cursor.setAttribute("visibility", "visible");
      const shown = at * box.width / width + box.left - host.getBoundingClientRect().left;
      const room = host.clientWidth - tip.offsetWidth - 8;
      tip.style.transform = `translate(${Math.max(8, Math.min(shown + 12 > room ? shown - tip.offsetWidth - 12 : shown + 12, room))}px, 44px)`;
      tip.style.visibility = "visible";
    };
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    svg.addEventListener("pointerleave", () => {
      tip.style.visibility = "hidden";
      cursor.setAttribute("visibility", "hidden");
    });
    draw();
    if (host.watcher) host.watcher.disconnect();
    host.watcher = new ResizeObserver(() => { if (Math.abs(host.clientWidth - 18 - width) > 1) draw(); });
    host.watcher.observe(host);
  };

  const host = (name) => document.getElementById(name);
  const most = (values) => values.reduce((a, b) => Math.max(a, b ?? 0), 0);
  const least = (values) => values.reduce((a, b) => b === null || b === undefined ? a : Math.min(a, b), Infinity);

  const percentiles = ({ name, response, service }) => {
    const values = [...response, ...service].map(([, value]) => value);
    plot(host("percentiles"), `${name}: response and service time by percentile`, {
      x: nines(most([...response, ...service].map(([quantile]) => quantile))),
      y: logarithmic(least(values), most(values), time),
      across: "percentile of all requests",
      lines: [
        { name: "response", colour: "first", points: response, format: time },
        { name: "service", colour: "second", points: service, format: time },
      ],
      head: (quantile) => `${+(quantile * 100).toFixed(4)}% of requests took at most`,
    });
  };

  const rows = data.rows;
  const end = most(rows.map((row) => row.second + row.length_s));
  const second = (row) => row.second;
  const overTime = (lines) => ({
    x: linear(0, Math.ceil(end), seconds, { ticks: 8 }),
    across: "time since the load began",
    lines,
    shade: data.warmup_s,
    shadeName: "warm-up",
    barWidth: lines.some((line) => line.bars) ? 1 : 0,
    head: (at) => `second ${at + 1}`,
  });

  const latency = (index, name) => {
    const cells = rows.map((row) => row.operations[index]);
    const line = (label, colour, key) => ({ name: label, colour, points: rows.map((row, at) => [second(row), cells[at][key]]), format: time });
    const lines = [line("p50", "first", "p50"), line("p90", "fourth", "p90"), line("p99", "second", "p99"), line("max", "third", "max")];
    const values = lines.flatMap((line) => line.points.map(([, value]) => value));
    if (!most(values)) return host("latency").replaceChildren();
    plot(host("latency"), `${name}: response time over time`, { ...overTime(lines), y: logarithmic(least(values), most(values), time) });
  };

  const throughput = () => {
    // Nothing is offered once the last user has come, but those who wait go on asking.
    const lastOffered = rows.reduce((last, row, at) => (row.offered > 0 ? at : last), -1);
    const offered = (row, at) => (at > lastOffered ? null : row.offered / Math.max(row.length_s, 1e-3));
    const done = (row) => row.operations.reduce((sum, cell) => sum + cell.requests, 0) / Math.max(row.length_s, 1e-3);
    const line = (name, colour, figure, wide) => ({ name, colour, wide, points: rows.map((row, at) => [second(row), figure(row, at)]), format: rate });
    const lines = [line("offered", "second", offered, true), line("done", "first", done, false)];
    const highest = most(lines.flatMap((line) => line.points.map(([, value]) => value)));
    plot(host("throughput"), "Requests per second", { ...overTime(lines), y: linear(0, highest, rate, { whole: true }) });
  };

  const errors = () => {
    const points = rows.map((row) => [second(row), row.operations.reduce((sum, cell) => sum + cell.errors, 0)]);
    const highest = most(points.map(([, value]) => value));
    if (!highest) return;
    plot(host("errors"), "Errors in each second", {
      ...overTime([{ name: "errors", colour: "bad", points, bars: true, format: count }]),
      y: linear(0, highest, count, { whole: true }),
    });
  };

  const instrument = () => {
    const late = rows.map((row) => [second(row), row.lateness_p99_us]);
    const busy = rows.map((row) => [second(row), row.cpu]);
    if (most(busy.map(([, value]) => value)) > 0) {
      plot(host("processor"), "The busiest worker thread", {
        ...overTime([{ name: "share of a core", colour: "first", points: busy, format: percent }]),
        y: linear(0, 1, percent),
      });
    }
    if (most(late.map(([, value]) => value)) > 0) {
      plot(host("lateness"), "The generator's own lateness", {
        ...overTime([{ name: "p99", colour: "second", points: late, format: time }]),
        y: logarithmic(least(late.map(([, value]) => value)), most(late.map(([, value]) => value)), time),
      });
    }
  };

  const lag = () => {
    const { width_us: width, counts } = data.lag;
    if (!counts.length) return;
    const total = counts.reduce((sum, value) => sum + value, 0);
    const points = counts.map((value, index) => [index * width, value]);
    plot(host("lag"), "Detection lag of all delivered rentals", {
      x: linear(0, counts.length * width, time, { ticks: 8 }),
      y: linear(0, most(counts), count, { whole: true }),
      across: "from the code being readable to the customer knowing it",
      lines: [{ name: "rentals", colour: "first", points, bars: true, format: (value) => `${count(value)} (${percent(value / total)})` }],
      barWidth: width,
      head: (from) => `${time(from)} to ${time(from + width)}`,
    });
  };

  const tabs = host("tabs");
  const choose = (chosen) => {
    for (const button of tabs.children) button.setAttribute("aria-pressed", button.textContent === chosen.name);
    percentiles(chosen);
    latency(chosen.index, chosen.name);
  };
  for (const curves of data.curves) {
    const button = element("button", tabs, curves.name);
    button.type = "button";
    button.addEventListener("click", () => choose(curves));
  }
  if (data.curves.length) choose(data.curves.reduce((a, b) => b.requests > a.requests ? b : a));
  if (rows.length) {
    throughput();
    errors();
    instrument();
  }
  lag();
})();
