// Shows the state of a Recognition on the page.

import { drawPicture, drawPixels } from "./pictures.js";
import { capitalized, describe, percent } from "./wording.js";

export const $ = (id) => document.getElementById(id);
export const DIGITS = [...Array(10).keys()];

export function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Set a text only if it differs: screen readers announce a text that is set again.
function setText(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

// Disable or enable a button; if it has the focus, that goes elsewhere.
export function setDisabled(button, disabled) {
  if (disabled && document.activeElement === button) $("clear").focus();
  button.disabled = disabled;
}

export function makeBars() {
  $("bars").replaceChildren(...[...DIGITS, "no digit"].map((name) => element("li", {},
    element("i"), element("span", { textContent: name }), element("span", { className: "percent" }))));
}

// saved: called with the digit whose button was pressed.
export function makeLabels(saved) {
  $("labels").replaceChildren(...DIGITS.map((d) => {
    const button = element("button", { type: "button", disabled: true }, String(d), element("small"));
    button.addEventListener("click", () => saved(d));
    return button;
  }));
}

// selected: called with the name of the model whose radio button was checked.
export function makeModels(recognition, selected) {
  $("models").replaceChildren(...recognition.models.map((model) => {
    const radio = element("input", {
      type: "radio", name: "model", value: model.name, checked: model.name === recognition.model,
      disabled: Boolean(model.error),
    });
    radio.addEventListener("change", () => selected(model.name));
    const result = element("span", { className: "prediction" });
    result.dataset.model = model.name;
    return element("div", {}, element("label", {}, radio, element("span", {},
      model.name, model.shipped ? " " : " (yours) ", element("small", { textContent: facts(model) }))),
    result);
  }));
}

function facts({ error, accuracy, test, preset }) {
  if (error) return error;
  return accuracy == null ? preset : `${(100 * accuracy).toFixed(2)}% on ${test}`;
}

export function render(recognition, select) {
  const { input, shown } = recognition;
  const prediction = shown?.prediction;
  const reading = shown?.reading;
  $("result").setAttribute("aria-busy", recognition.busy);
  $("models").setAttribute("aria-busy", recognition.anyBusy);
  setText($("problem"), recognition.problem || shown?.error || "");
  renderSentence(recognition);
  renderTruth(input?.truth, prediction);
  renderBars(prediction);
  renderFound(reading, recognition.selected, select);
  for (const button of $("labels").children) setDisabled(button, !prediction);
  drawPixels($("model-input"), prediction?.pixels);
  for (const { name } of recognition.models) renderModel(name, input && recognition.resultOf(name));
  if (input?.image) drawPicture($("picture"), input.image, reading?.digits ?? [], recognition.selected);
}

function renderSentence(recognition) {
  const { input, shown } = recognition;
  const prediction = shown?.prediction;
  const digit = shown?.reading ? "" : prediction?.digit ?? "?";
  setText($("digit"), digit);
  $("digit").hidden = Boolean(shown?.reading);
  setText($("digit-on-phone"), digit === "?" ? "" : digit);
  setText($("sentence"), sentence(recognition.loading || input, shown));
}

function sentence(waiting, shown) {
  if (shown?.error) return "Nothing read.";
  if (!shown) return waiting ? "Reading…" : "Nothing yet.";
  const { prediction, reading } = shown;
  if (reading) return `${reading.lines.join(", then ")}. Selected digit: ${describe(prediction)}.`;
  if (prediction.digit != null) return `Confidence: ${percent(prediction.confidence)}`;
  return `${capitalized(describe(prediction))}.`;
}

function renderTruth(truth, prediction) {
  const wrong = truth != null && prediction && prediction.digit !== truth;
  setText($("truth"), truth == null ? "" : `True label: ${truth}${wrong ? " (wrong)" : ""}.`);
  $("truth").classList.toggle("wrong", Boolean(wrong));
}

function renderBars(prediction) {
  const probabilities = [...(prediction?.probabilities ?? Array(10).fill(0))];
  const digit = probabilities.reduce((sum, p) => sum + p, 0);
  probabilities.push(prediction ? Math.max(0, 1 - digit) : 0);
  probabilities.forEach((p, i) => {
    const bar = $("bars").children[i];
    bar.querySelector("i").style.width = `${100 * p}%`;
    bar.querySelector(".percent").textContent = prediction ? percent(p) : "–";
    bar.classList.toggle("best", prediction?.digit === i);
    $("labels").children[i]?.classList.toggle("predicted", prediction?.digit === i);
  });
}

let found; // the reading whose buttons are there

function renderFound(reading, selected, select) {
  if (reading !== found) {
    found = reading;
    const focused = [...$("found").children].indexOf(document.activeElement);
    $("found").hidden = !reading;
    $("found").replaceChildren(...(reading?.digits ?? []).map(({ digit }, i) => {
      const button = element("button", { type: "button", textContent: digit ?? "?" });
      button.setAttribute("aria-label", `Digit ${i + 1}: ${digit ?? "not sure"}`);
      button.addEventListener("click", () => select(i));
      return button;
    }));
    $("found").children[focused]?.focus();
  }
  [...$("found").children].forEach((button, i) => button.setAttribute("aria-pressed", i === selected));
}

function renderModel(name, result) {
  const place = $("models").querySelector(`[data-model="${CSS.escape(name)}"]`);
  if (!place) return;
  setText(place, result?.error ? "error" : result ? describe(result.prediction) : "");
  place.classList.toggle("stale", Boolean(result?.stale));
}
