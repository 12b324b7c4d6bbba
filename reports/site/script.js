"use strict";

const root = document.documentElement;
const wide = matchMedia("(min-width: 64rem)");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const THEME = "samestep-theme";

// before anything is painted: the theme that was chosen, and what only makes sense with a script
root.classList.add("script");
root.dataset.theme = remembered() ?? "";

document.addEventListener("DOMContentLoaded", () => {
  themeButton(document.querySelector("button.theme"));
  document.querySelectorAll(".scroll, pre").forEach(watchWidth);
  withElement("nav.contents", contents);
  withElement("form.filters", filteredTable);
  withElement("form.choice", chosenPair);
});

function withElement(selector, start) {
  const found = document.querySelector(selector);
  if (found) start(found);
}

// a browser may refuse storage, above all to a page from the disk
function remembered() {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null;
  }
}

function remember(theme) {
  try {
    localStorage.setItem(THEME, theme);
  } catch {
    // the choice then holds for this page alone
  }
}

function themeButton(button) {
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const show = () => button.setAttribute("aria-pressed", isDark());
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    show();
  });
  prefersDark.addEventListener("change", show);
  show();
}

// what scrolls must be reached by the keyboard, and what does not scroll must not be in its way
function watchWidth(box) {
  new ResizeObserver(() => {
    const scrolls = box.scrollWidth > box.clientWidth;
    const attributes = { tabindex: 0, role: "group", "aria-label": "Scrolls sideways" };
    for (const [name, value] of Object.entries(attributes)) {
      if (scrolls) box.setAttribute(name, value);
      else box.removeAttribute(name);
    }
    const first = box.querySelector("th");
    // the second sticky column begins where the first one ends
    if (first) box.style.setProperty("--first", `${first.offsetWidth}px`);
  }).observe(box);
}

function contents(nav) {
  const box = nav.querySelector("details");
  const headings = [...document.querySelectorAll("main :is(h2, h3)[id]")];
  const fold = () => { box.open = wide.matches; };
  const mark = () => {
    const passed = headings.filter((one) => one.getBoundingClientRect().top < 120);
    const here = passed.at(-1) ?? headings[0];
    const section = passed.filter((one) => one.tagName === "H2").at(-1) ?? headings[0];
    for (const link of nav.querySelectorAll("a")) {
      const target = decodeURIComponent(link.hash.slice(1));
      link.classList.toggle("here", target === here?.id);
      link.parentElement.classList.toggle("open", target === section?.id);
    }
  };
  nav.addEventListener("click", (event) => {
    if (event.target.closest("a")) fold();
  });
  wide.addEventListener("change", fold);
  addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
  fold();
  mark();
}

// The table of cells. What is chosen stands in the fragment: `#network=cnn&sort=n&order=ascending`.

function filteredTable(form) {
  const table = document.querySelector("table.sortable");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const headers = [...table.tHead.rows[0].cells];
  const order = { column: "", direction: "" };

  const show = () => {
    const wanted = rows.filter((row) => fits(row, form));
    rows.forEach((row) => { row.hidden = !wanted.includes(row); });
    body.append(...sorted(rows, headers, order));
    headers.forEach((header) => {
      const sorts = header.textContent === order.column;
      header.setAttribute("aria-sort", sorts ? order.direction : "none");
    });
    form.querySelector("output").value = `${wanted.length} of ${rows.length} cells`;
  };
  const change = () => {
    show();
    writeFragment(form, order);
  };
  const restore = () => {
    readFragment(form, order);
    show();
  };

  headers.forEach((header) => sortButton(header, order, change));
  // while it is typed, and where a choice makes no other event
  for (const kind of ["input", "change"]) form.addEventListener(kind, change);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button.clear").addEventListener("click", () => {
    form.reset();
    Object.assign(order, { column: "", direction: "" });
    change();
  });
  addEventListener("hashchange", restore);
  restore();
}

function fits(row, form) {
  const text = `${row.textContent} ${row.dataset.machine}`.toLowerCase();
  const words = form.elements.q.value.toLowerCase().split(/\s+/);
  const chosen = [...form.querySelectorAll("select")].filter((select) => select.value);
  return words.every((word) => text.includes(word))
    && chosen.every((select) => shown(row, select.dataset.column) === select.value);
}

function shown(row, column) {
  return row.cells[column].textContent.trim();
}

function sortButton(header, order, change) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...header.childNodes);
  header.append(button);
  button.addEventListener("click", () => {
    const again = header.getAttribute("aria-sort") === "ascending";
    order.column = header.textContent;
    order.direction = again ? "descending" : "ascending";
    change();
  });
}

function sorted(rows, headers, order) {
  const column = headers.findIndex((header) => header.textContent === order.column);
  if (column < 0) return rows;
  const numeric = rows.some((row) => "value" in row.cells[column].dataset);
  const sign = order.direction === "descending" ? -1 : 1;
  return rows.toSorted((one, other) => {
    if (!numeric) return sign * shown(one, column).localeCompare(shown(other, column), "en");
    const [low, high] = [one, other].map((row) => row.cells[column].dataset.value);
    // what was not measured comes last in either direction
    if (low === undefined || high === undefined) return (low === undefined) - (high === undefined);
    return sign * (low - high);
  });
}

function writeFragment(form, order) {
  const chosen = [...new FormData(form)].filter(([, value]) => value);
  const sort = order.column ? [["sort", order.column], ["order", order.direction]] : [];
  const fragment = new URLSearchParams([...chosen, ...sort]).toString();
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname);
}

function readFragment(form, order) {
  const chosen = new URLSearchParams(location.hash.slice(1));
  for (const field of form.querySelectorAll("input, select")) {
    field.value = chosen.get(field.name) ?? "";
  }
  order.column = chosen.get("sort") ?? "";
  order.direction = chosen.get("order") === "descending" ? "descending" : "ascending";
}

// Two runs: every pair is in the page, and the chosen one is shown.

function chosenPair(form) {
  const sections = [...document.querySelectorAll("section.pair")];
  const { first, second } = form.elements;
  const newest = sections.findLast((one) => one.querySelector("table")) ?? sections.at(-1);

  const show = (section) => {
    sections.forEach((one) => one.classList.toggle("shown", one === section));
    form.querySelector("output").value = section ? "" : "Choose two different runs.";
  };
  const find = () => sections.find(
    ({ dataset }) => [[first.value, second.value], [second.value, first.value]].some(
      ([one, other]) => dataset.first === one && dataset.second === other,
    ),
  );
  const restore = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const section = target?.closest("section.pair") ?? newest;
    first.value = section.dataset.first;
    second.value = section.dataset.second;
    show(section);
    // it was hidden when the browser looked for it
    if (target && target !== section) target.scrollIntoView();
  };

  form.addEventListener("change", () => {
    const section = find();
    if (section) history.replaceState(null, "", `#${section.id}`);
    show(section);
  });
  addEventListener("hashchange", restore);
  restore();
}
