// The page: what is shown follows from `shown`, the one thing that is looked at.

import { Paper } from "./paper.js";
import { drawPicture, opened, pixelsOnto, pngOf } from "./pictures.js";
import * as server from "./server.js";

const $ = (id) => document.getElementById(id);
const DIGITS = [...Array(10).keys()];
const PAUSE = 300; // ms without a change, after which the other models are asked too

const paper = new Paper($("paper"), drawingChanged);
let models = [];
let model; // its name; the server's default until the models are known
// What is looked at: {blob, name, query}, `drawn` or else with {image, about}, perhaps {truth}.
// `readings` holds, for each model that was asked, all digits where it found several.
let shown = null;
let prediction = null; // of `shown`, or of the chosen one of its digits; null until it is answered
let reading = null; // all digits of `shown`, when they are several
let chosen = 0; // of these
let turn = 0; // counts the changes of what is looked at or asked

// ---- asking

let underway = null; // a promise, while anything is asked
let again = false;
let pause;

// Ask for the newest state, one request after the other: while one is under way, changes wait.
function refresh() {
  turn += 1;
  clearTimeout(pause);
  pause = setTimeout(settled, PAUSE);
  again = true;
  underway ??= askAll().finally(() => { underway = null; });
  return underway;
}

async function askAll() {
  while (again) {
    again = false;
    await answer();
  }
}

async function answer() {
  const [current, asked] = [shown, model];
  try {
    const [result, several] = current ? await opinion(current, asked) : [null, null];
    if (current !== shown) return;
    $("problem").textContent = "";
    show(result, several, asked); // of a drawing that has grown since, too: the next one follows
  } catch (error) {
    if (current !== shown) return;
    show(null, null);
    $("sentence").textContent = "Nothing read.";
    $("problem").textContent = error.message;
  }
}

// What `asked`, a model, says: [prediction, reading], the reading null where it is one digit.
async function opinion(current, asked) {
  const query = { ...current.query, pixels: true, ...(asked && { model: asked }) };
  const several = current.readings;
  if (several[asked] === undefined) {
    let result;
    if (!$("several").checked) {
      result = await server.predict(await current.blob(), current.name, query);
      if (!result.reason?.startsWith("several digits")) return [result, null];
    }
    const all = await server.read(await current.blob(), current.name, query);
    if (!all.digits.length) {
      return [result ?? await server.predict(await current.blob(), current.name, query), null];
    }
    several[asked] = all;
  }
  return [await ofChosen(several[asked], asked), several[asked]];
}

// What the model says of one digit of several, of which /api/read tells the best guess only.
async function ofChosen(several, asked) {
  const { pixels } = several.digits[Math.min(chosen, several.digits.length - 1)];
  const query = { ink: "light", pixels: true, min_confidence: 0, ...(asked && { model: asked }) };
  return server.predict(await pngOf(pixels), "digit.png", query);
}

// A moment after the last change: what is not needed for each point of a stroke.
async function settled() {
  const mine = turn;
  await underway;
  if (mine !== turn) return;
  $("live").textContent = shown ? `${$("sentence").textContent} ${$("truth").textContent}` : "";
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
      showOpinion(other.name, null);
    }
  }
}

// ---- showing

// Never rounded up: what is not quite sure is not 100 %.
const percent = (share) => `${(Math.floor(1000 * share) / 10).toFixed(1)} %`;

function show(result, several, asked = model) {
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
  for (const one of models) showOpinion(one.name, null, "");
  if (result) showOpinion(asked, result);
  if (shown?.image) drawPicture($("picture"), shown.image, several?.digits ?? [], chosen);
}

function showSentence() {
  let digit = "?";
  let sentence = shown ? "…" : "Nothing yet.";
  if (reading) {
    digit = reading.lines.join(" ");
    sentence = `Reads ${reading.lines.join(", then ")}. The chosen one: ${prediction.digit}, `
      + `${percent(prediction.confidence)} sure.`;
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

function choose(i) {
  chosen = i;
  refresh();
}

function showOpinion(name, result, none = "–") {
  const place = $("models").querySelector(`[data-model="${CSS.escape(name ?? "")}"]`);
  if (!place) return; // the models are not known yet
  if (!result) place.textContent = none;
  else if (result.digit != null) place.textContent = `${result.digit}, ${percent(result.confidence)}`;
  else place.textContent = result.reason.startsWith("not sure") ? "not sure" : "no digit";
}

// ---- what is looked at

let choice = 0; // counts what was chosen: a slow file must not push out what was chosen later

function look(next) {
  choice += 1;
  if (shown?.image && shown.image !== next?.image) shown.image.close();
  shown = next && { query: {}, readings: {}, ...next };
  chosen = 0;
  const onPaper = !next || Boolean(next.drawn);
  const focused = document.activeElement === $("paper") && !onPaper;
  $("paper").hidden = !onPaper;
  $("picture").hidden = onPaper;
  if (focused) $("clear").focus();
  $("about").textContent = next?.about ?? "";
  show(null, null);
  refresh();
}

function drawingChanged() {
  disable($("undo"), paper.empty);
  if (shown?.drawn && !paper.empty) {
    shown.readings = {};
    refresh();
  } else if (!paper.empty) {
    look({ drawn: true, blob: () => paper.blob(), name: "drawing.png", query: { ink: "dark" } });
  } else if (shown?.drawn) {
    look(null);
  }
}

// Show what `load` brings, unless something else was chosen meanwhile.
async function lookAt(load) {
  const mine = ++choice;
  $("problem").textContent = "";
  try {
    const next = await load();
    if (mine !== choice) { next.image?.close(); return; }
    paper.clear();
    look(next);
    if (!next.image) drawPicture($("picture"), null, [], 0);
  } catch (error) {
    if (mine === choice) $("problem").textContent = error.message;
  }
}

const lookAtFile = (file) => file && lookAt(async () => {
  const { blob, image } = await opened(file);
  const about = image ? file.name : `${file.name} (this browser cannot show it)`;
  return { blob: async () => blob, name: file.name || "picture.png", image, about };
});

const lookAtRandom = () => lookAt(async () => {
  const { pixels, label, set, index } = await server.random();
  const blob = await pngOf(pixels);
  return {
    blob: async () => blob, name: "random.png", query: { ink: "light" },
    image: await createImageBitmap(blob), truth: label, about: `${set}, picture ${index}`,
  };
});

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
  disable($("take-back"), !set.undoable);
  $("total").textContent = `${set.total} in ${set.file}`;
  $("train").hidden = !set.train;
  $("command").textContent = set.train;
  $("note").textContent = message;
}

let kept = null; // the last one: {pixels, label}
let keeping = Promise.resolve();

// Keep what is looked at, once it is answered. Said again, it is not kept twice; another label for
// the same picture takes the place of the first.
function keep(label) {
  const current = shown;
  keeping = keeping.then(async () => {
    try {
      await underway;
      if (!prediction || current !== shown) return;
      const pixels = JSON.stringify(prediction.pixels);
      if (kept?.pixels === pixels && kept.label === label) {
        $("note").textContent = `Kept as ${label} already.`;
        return;
      }
      if (kept?.pixels === pixels) await server.takeBack(model);
      showMine(await server.keep(label, prediction.pixels, model), `Kept as ${label}.`);
      kept = { pixels, label };
    } catch (error) {
      $("problem").textContent = error.message;
    }
  });
}

function takeBack() {
  keeping = keeping.then(async () => {
    try {
      const set = await server.takeBack(model);
      kept = null;
      showMine(set, set.label == null ? "Nothing to take back." : `Took back a ${set.label}.`);
    } catch (error) {
      $("problem").textContent = error.message;
    }
  });
}

async function copy() {
  try {
    await navigator.clipboard.writeText($("command").textContent);
    $("note").textContent = "Copied.";
  } catch { // browsers have no clipboard for pages that come unencrypted over a network
    getSelection().selectAllChildren($("command"));
    $("note").textContent = "Selected: copy it with the keys of your system.";
  }
}

// A button that has the focus hands it on before it becomes dead.
function disable(button, dead) {
  if (dead && document.activeElement === button) $("clear").focus();
  button.disabled = dead;
}

// ---- events

function keyPressed(event) {
  const typing = event.target.matches("input[type=text], textarea, select");
  if (typing || event.altKey) return;
  if (event.ctrlKey || event.metaKey) {
    if (event.key === "z" && !paper.empty) { event.preventDefault(); paper.undo(); }
  } else if (event.repeat) {
    // held down: once is enough
  } else if (event.key === "Escape") {
    clear();
  } else if ($("keys").checked && /^\d$/.test(event.key)) {
    keep(Number(event.key));
  } else if ($("keys").checked && event.key.toLowerCase() === "r") {
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
  $("several").addEventListener("change", () => {
    if (shown) shown.readings = {};
    refresh();
  });
  $("take-back").addEventListener("click", takeBack);
  $("copy").addEventListener("click", copy);
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
    radio.addEventListener("change", () => switchTo(one.name));
    const accuracy = one.accuracy ? `${percent(one.accuracy)} on ${one.test}` : one.preset;
    const facts = one.error || accuracy;
    const opinion = element("span", { className: "opinion" });
    opinion.dataset.model = one.name;
    return element("div", {}, element("label", {}, radio,
      element("span", {}, one.name, one.shipped ? "" : ", yours", " ", element("small", { textContent: facts }))),
    opinion);
  }));
}

async function switchTo(name) {
  model = name;
  refresh();
  try {
    showMine(await server.mine(model));
  } catch (error) {
    $("problem").textContent = error.message;
  }
}

async function start() {
  makeBars();
  listen();
  show(null, null);
  try {
    models = await server.models();
    model = models.find((one) => !one.error)?.name;
    makeModels();
    showMine(await server.mine(model));
  } catch (error) {
    $("problem").textContent = error.message;
  }
  document.body.dataset.ready = "true";
  refresh();
}

start();
