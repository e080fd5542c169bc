// The picture that is looked at, and what the models make of it.

import { pngOf } from "./pictures.js";
import * as server from "./server.js";

const PAUSE = 300; // ms without a change after which the other models are asked too

export class Recognition {
  models = []; // as /api/models lists them
  model = undefined; // name of the selected one; the server's default until they are known
  several = false; // read all digits, even if there seems to be only one
  loading = false; // a picture is being opened
  problem = ""; // why it could not be opened
  input = null; // {blob(), name, query, drawn} or {…, image, about}, perhaps {…, truth}
  selected = 0; // index of one of several digits
  shown = null; // result of the selected model; the last one until the next one is there

  // A result is {model, version, prediction, reading} or {model, version, error}. `reading` has all
  // digits if there are several; then `prediction` is that of the selected one. A `partial` result
  // is a prediction for one of the digits in another model's reading.
  #results = new Map(); // by model
  #readings = new Map(); // by model
  #version = 0; // counts changes of the picture and of `selected`
  #turn = 0; // counts the calls of #update
  #timer;
  #run = null; // the promise of #askSelected, if it was ever called
  #running = false;
  #pending = false; // the selected model is to be asked again

  // changed: called after every change of anything here. settled: called when the selected model's
  // result is there and nothing has changed for a moment.
  constructor(changed, settled) {
    this.changed = changed;
    this.settled = settled;
  }

  get usableModels() { return this.models.filter((model) => !model.error); }

  // Whether the result of the selected model is still to come.
  get busy() { return this.loading || (this.input !== null && !this.#isShown()); }

  // Whether the result of any model is still to come.
  get anyBusy() {
    if (this.busy || !this.input || this.shown.error) return this.busy;
    return this.usableModels.some(({ name }) => !this.#isCurrent(name));
  }

  // The result of a model for the present picture or, while that is to come, an earlier state.
  resultOf(name) {
    return this.#results.get(name) && { ...this.#results.get(name), stale: !this.#isCurrent(name) };
  }

  // Resolves when the selected model's result is there.
  async done() { await this.#run; }

  setModels(models) {
    this.models = models;
    this.model = this.usableModels[0]?.name;
    this.#update();
  }

  setModel(name) {
    this.model = name;
    const result = this.#results.get(name);
    if (this.#isCurrent(name) && !result.partial) this.shown = result;
    this.#update();
  }

  setInput(input) {
    this.input = input;
    this.shown = null;
    this.#results.clear();
    this.selected = 0;
    this.inputChanged();
  }

  setSeveral(several) {
    this.several = several;
    this.inputChanged();
  }

  inputChanged() {
    this.#readings = new Map();
    this.#version += 1;
    this.#update();
  }

  select(index) {
    this.selected = index;
    this.#version += 1;
    this.#update();
  }

  #isCurrent(name) { return this.#results.get(name)?.version === this.#version; }

  #isShown() {
    const { shown } = this;
    return shown !== null && shown.model === this.model && shown.version === this.#version;
  }

  // The selected model is asked at once, the others when nothing has changed for a moment.
  #update() {
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(), PAUSE);
    this.#pending = true;
    if (!this.#running) this.#run = this.#askSelected();
    this.changed();
  }

  // One request after the other: changes wait while one is under way.
  async #askSelected() {
    this.#running = true;
    while (this.#pending) {
      this.#pending = false;
      const { input, model } = this;
      if (!input || this.#isShown()) continue;
      const result = await this.#ask(model, () => this.#recognize(input, model));
      if (input !== this.input) continue;
      this.shown = result; // also if the drawing has grown since: the next result follows
      if (result.reading) {
        this.selected = Math.min(this.selected, result.reading.digits.length - 1);
      }
      this.changed();
    }
    this.#running = false;
  }

  async #settle() {
    const turn = this.#turn;
    await this.#run;
    if (turn !== this.#turn) return;
    this.settled();
    const { input, shown } = this;
    if (!input || shown.error) return;
    for (const { name } of this.usableModels.filter((model) => !this.#isCurrent(model.name))) {
      await this.#ask(name, async () => (shown.reading
        ? { prediction: await this.#predictSelected(shown.reading, name), partial: true }
        : { prediction: await this.#predict(input, name) }));
      if (turn !== this.#turn) return;
      this.changed();
    }
  }

  // Call `request` and store its result, or its error, unless there is another picture by then.
  async #ask(model, request) {
    const { input } = this;
    const version = this.#version;
    let result;
    try {
      result = { model, version, ...await request() };
    } catch (error) {
      result = { model, version, error: error.message };
    }
    if (input === this.input) this.#results.set(model, result);
    return result;
  }

  async #recognize(input, model) {
    const readings = this.#readings;
    let prediction;
    if (!readings.has(model)) {
      if (!this.several) {
        prediction = await this.#predict(input, model);
        if (prediction.reason !== "several") return { prediction };
      }
      const query = { ...input.query, pixels: true, ...(model && { model }) };
      readings.set(model, await server.read(await input.blob(), input.name, query));
    }
    const reading = readings.get(model);
    if (!reading.digits.length) return { prediction: prediction ?? await this.#predict(input, model) };
    return { prediction: await this.#predictSelected(reading, model), reading };
  }

  async #predict(input, model) {
    const query = { ...input.query, pixels: true, ...(model && { model }) };
    return server.predict(await input.blob(), input.name, query);
  }

  // /api/read has no probabilities, so predict the selected digit by itself.
  async #predictSelected({ digits }, model) {
    const { pixels } = digits[Math.min(this.selected, digits.length - 1)];
    const query = { ink: "light", pixels: true, min_confidence: 0, ...(model && { model }) };
    return server.predict(await pngOf(pixels), "digit.png", query);
  }
}
