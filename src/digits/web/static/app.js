// The page: what is shown follows from `shown`, the one thing that is looked at.

import { Paper } from "./paper.js";
import { drawPicture, opened, pixelsOnto, pngOf } from "./pictures.js";
import * as server from "./server.js";

const $ = (id) => document.getElementById(id);
const DIGITS = [...Array(10).keys()];
const PAUSE = 300; // ms without a change, after which the other models are asked too

const paper = new Paper($("paper"), drawingChanged);
let models = [];
let model = "";
// What is looked at: {kind: "drawing" | "picture" | "random", blob, name, query, image, truth}.
let shown = null;
let reading = null; // all digits of `shown`, when they are several
let chosen = 0; // of these
let prediction = null; // of `shown`, or of the chosen digit
let turn = 0; // counts what was asked, so that late answers are told from the newest

// ---- asking

let asking = false;
let again = false;
let pause;

// Ask for the newest state, one request after the other: while one is under way, changes wait.
async function refresh() {
  clearTimeout(pause);
  pause = setTimeout(settled, PAUSE);
  if (asking) { again = true; return; }
  asking = true;
  try {
    do {
      again = false;
      await answer();
    } while (again);
  } finally {
    asking = false;
  }
}

async function answer() {
  const mine = ++turn;
  const current = shown;
  try {
    if (!current) { show(null, null); return; }
    const blob = await current.blob();
    const query = { ...current.query, model, pixels: true };
    let result = null;
    let several = null;
    if (!$("several").checked) result = await server.predict(blob, current.name, query);
    if (!result || result.reason?.startsWith("several digits")) {
      several = await server.read(blob, current.name, query);
      if (!several.digits.length) several = null;
      if (several) result = await ofChosen(several);
    }
    if (mine === turn && current === shown) { $("problem").textContent = ""; show(result, several); }
  } catch (error) {
    if (mine === turn && current === shown) { show(null, null); $("problem").textContent = error.message; }
  }
}

// What the model says of one digit of several, of which /api/read tells the best guess only.
async function ofChosen(several, asked = model) {
  chosen = Math.min(chosen, several.digits.length - 1);
  const blob = await pngOf(several.digits[chosen].pixels);
  return server.predict(blob, "digit.png", { model: asked, ink: "light", pixels: true, min_confidence: 0 });
}

// A moment after the last change: what is not needed for each point of a stroke.
async function settled() {
  if (asking) { pause = setTimeout(settled, PAUSE); return; }
  const mine = turn;
  $("live").textContent = shown ? $("sentence").textContent : "";
  if (!prediction) return;
  for (const other of models.filter((one) => !one.error && one.name !== model)) {
    try {
      const result = reading
        ? await ofChosen(reading, other.name)
        : await server.predict(await shown.blob(), shown.name, { ...shown.query, model: other.name });
      if (mine !== turn) return;
      showOpinion(other.name, result);
    } catch (error) {
      if (mine !== turn) return;
      opinionOf(other.name).textContent = "–";
      opinionOf(other.name).title = error.message;
    }
  }
}

// ---- showing

const percent = (share) => `${(100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)} %`;

function show(result, several) {
  prediction = result;
  reading = several;
  showSentence();
  showFound();
  for (const d of DIGITS) {
    const share = result?.probabilities[d] ?? 0;
    const bar = $("bars").children[d];
    bar.querySelector("i").style.width = `${100 * share}%`;
    bar.querySelector(".share").textContent = result ? percent(share) : "–";
    const best = result?.digit === d;
    bar.classList.toggle("best", best);
    $("labels").children[d].classList.toggle("read", best);
    $("labels").children[d].disabled = !result;
  }
  pixelsOnto($("seen"), result?.pixels);
  for (const one of models) opinionOf(one.name).textContent = "";
  if (result) showOpinion(model, result);
  if (shown?.image) drawPicture($("picture"), shown.image, several?.digits ?? [], chosen);
}

function showSentence() {
  let digit = "?";
  let sentence = shown ? "No digit found." : "Nothing yet.";
  if (reading) {
    digit = reading.lines.join(" ");
    sentence = `Reads ${reading.lines.join(", then ")}.`;
  } else if (prediction?.digit != null) {
    digit = prediction.digit;
    sentence = `Reads ${digit}, ${percent(prediction.confidence)} sure.`;
  } else if (prediction) {
    sentence = `${prediction.reason[0].toUpperCase()}${prediction.reason.slice(1)}.`;
  }
  $("digit").textContent = digit;
  $("brief").textContent = prediction?.digit == null || reading ? "" : digit;
  $("digit").hidden = Boolean(reading);
  $("sentence").textContent = sentence;
  const truth = shown?.truth;
  const wrong = truth != null && prediction && prediction.digit !== truth;
  $("truth").textContent = truth == null ? "" : `Its writer meant ${truth}${wrong ? ": wrong" : ""}.`;
  $("truth").classList.toggle("wrong", Boolean(wrong));
}

function showFound() {
  $("found").hidden = !reading;
  const buttons = (reading?.digits ?? []).map((one, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = one.digit ?? "?";
    button.setAttribute("aria-label", `Digit ${i + 1}: ${one.digit ?? "not sure"}`);
    button.setAttribute("aria-pressed", i === chosen);
    button.addEventListener("click", () => choose(i));
    return button;
  });
  const focused = [...$("found").children].indexOf(document.activeElement);
  $("found").replaceChildren(...buttons);
  buttons[focused]?.focus();
}

async function choose(i) {
  const several = reading;
  const mine = ++turn;
  chosen = i;
  try {
    const result = await ofChosen(several);
    if (mine === turn) { show(result, several); clearTimeout(pause); pause = setTimeout(settled, 0); }
  } catch (error) {
    $("problem").textContent = error.message;
  }
}

const opinionOf = (name) => $("models").querySelector(`output[data-model="${CSS.escape(name)}"]`);

function showOpinion(name, result) {
  opinionOf(name).textContent = result.digit == null
    ? result.reason.startsWith("not sure") ? "not sure" : "no digit"
    : `${result.digit}, ${percent(result.confidence)}`;
}

// ---- what is looked at

function look(next) {
  if (shown?.image && shown.image !== next?.image) shown.image.close?.();
  shown = next;
  chosen = 0;
  turn += 1;
  $("paper").hidden = Boolean(next && next.kind !== "drawing");
  $("picture").hidden = !$("paper").hidden;
  $("about").textContent = next?.about ?? "";
  refresh();
}

function drawingChanged() {
  $("undo").disabled = paper.empty;
  if (paper.empty) { if (!shown || shown.kind === "drawing") look(null); return; }
  if (shown?.kind !== "drawing") {
    look({ kind: "drawing", blob: () => paper.blob(), name: "drawing.png", query: { ink: "dark" } });
  } else {
    refresh();
  }
}

async function lookAtFile(file) {
  if (!file) return;
  $("problem").textContent = "";
  const { blob, image } = await opened(file);
  const about = image ? file.name : `${file.name} (this browser cannot show it)`;
  paper.clear();
  look({ kind: "picture", blob: async () => blob, name: file.name, query: {}, image, about });
  if (!image) drawPicture($("picture"), null, [], 0);
}

async function lookAtRandom() {
  try {
    const { pixels, label, set, index } = await server.random();
    const blob = await pngOf(pixels);
    paper.clear();
    look({
      kind: "random", blob: async () => blob, name: "random.png", query: { ink: "light" },
      image: await createImageBitmap(blob), truth: label, about: `${set}, picture ${index}`,
    });
  } catch (error) {
    $("problem").textContent = error.message;
  }
}

function clear() {
  paper.clear();
  look(null);
}

// ---- your own set

function showMine(set, message = "") {
  DIGITS.forEach((d) => {
    const button = $("labels").children[d];
    button.querySelector("small").textContent = set.counts[d];
    button.setAttribute("aria-label", `Keep as ${d}. You have ${set.counts[d]}.`);
  });
  $("take-back").disabled = !set.undoable;
  $("total").textContent = `${set.total} in ${set.file}`;
  $("train").hidden = !set.total;
  $("command").textContent = set.train;
  $("live").textContent = message;
}

async function keep(label) {
  if (!prediction || keep.busy) return;
  keep.busy = true;
  try {
    showMine(await server.keep(label, prediction.pixels), `Kept as ${label}.`);
  } catch (error) {
    $("problem").textContent = error.message;
  } finally {
    keep.busy = false;
  }
}

async function takeBack() {
  try {
    const set = await server.takeBack();
    showMine(set, set.label == null ? "Nothing to take back." : `Took back a ${set.label}.`);
  } catch (error) {
    $("problem").textContent = error.message;
  }
}

// ---- events

function keyPressed(event) {
  const field = event.target.closest("input:not([type=checkbox]):not([type=range]), textarea, select");
  const radio = event.target.type === "radio";
  if ((field && !radio) || event.altKey || event.metaKey) return;
  if (event.ctrlKey) {
    if (event.key === "z" && !paper.empty) { event.preventDefault(); paper.undo(); }
  } else if (/^\d$/.test(event.key)) {
    keep(Number(event.key));
  } else if (event.key === "Escape") {
    clear();
  } else if (event.key.toLowerCase() === "r") {
    lookAtRandom();
  }
}

function listen() {
  $("undo").addEventListener("click", () => paper.undo());
  $("clear").addEventListener("click", clear);
  $("pen").addEventListener("input", () => { paper.width = $("pen").value / 100; });
  for (const id of ["file", "photo"]) {
    $(id).addEventListener("change", () => { lookAtFile($(id).files[0]); $(id).value = ""; });
  }
  $("random").addEventListener("click", lookAtRandom);
  $("several").addEventListener("change", refresh);
  $("take-back").addEventListener("click", takeBack);
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard.writeText($("command").textContent);
    $("live").textContent = "Copied.";
  });
  document.addEventListener("keydown", keyPressed);
  document.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); lookAtFile(event.clipboardData.files[0]); }
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    lookAtFile(event.dataTransfer.files[0]);
  });
}

// ---- the parts that are made once

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function makeBars() {
  $("bars").replaceChildren(...DIGITS.map((d) => element("li", {},
    element("i"), element("span", { textContent: d }),
    element("span", { className: "share", textContent: "–" }))));
  $("labels").replaceChildren(...DIGITS.map((d) => {
    const button = element("button", { type: "button", disabled: true }, String(d), element("small"));
    button.addEventListener("click", () => keep(d));
    return button;
  }));
}

function makeModels() {
  $("models").replaceChildren(...models.map((one) => {
    const radio = element("input", {
      type: "radio", name: "model", value: one.name, checked: one.name === model,
      disabled: Boolean(one.error),
    });
    radio.addEventListener("change", () => { model = one.name; refresh(); });
    const facts = one.error || (one.accuracy ? `${percent(one.accuracy)} on ${one.test}` : one.preset);
    const opinion = element("output");
    opinion.dataset.model = one.name;
    return element("label", {}, radio,
      element("span", {}, one.name, one.shipped ? "" : ", yours", " ", element("small", { textContent: facts })),
      opinion);
  }));
}

async function start() {
  makeBars();
  listen();
  show(null, null);
  try {
    models = await server.models();
    model = models.find((one) => !one.error)?.name ?? "";
    makeModels();
    showMine(await server.mine());
  } catch (error) {
    $("problem").textContent = error.message;
  }
  document.body.dataset.ready = "true";
  refresh();
}

start();
