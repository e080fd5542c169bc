// The user's own data set: digits that are saved with their true label.

import * as server from "./server.js";
import { $, DIGITS, setDisabled } from "./view.js";

export class Collection {
  #recognition;
  #saved = null; // the last one: {pixels, label}
  #queue = Promise.resolve(); // requests are sent one after the other

  constructor(recognition) {
    this.#recognition = recognition;
  }

  // Show the data set; the training command on the page starts from the selected model.
  refresh() {
    return this.#enqueue(async () => show(await server.collection(this.#recognition.model)));
  }

  // Save the present digit once its result is there. Saving it again does nothing; with another
  // label, it replaces the first.
  save(label) {
    const { input } = this.#recognition;
    return this.#enqueue(async () => {
      await this.#recognition.done();
      const prediction = this.#recognition.shown?.prediction;
      if (!prediction || input !== this.#recognition.input) return;
      const { model } = this.#recognition;
      const pixels = JSON.stringify(prediction.pixels);
      if (this.#saved?.pixels === pixels) {
        if (this.#saved.label === label) {
          $("note").textContent = `Already saved as ${label}.`;
          return;
        }
        await server.removeLast(model);
      }
      show(await server.save(label, prediction.pixels, model), `Saved as ${label}.`);
      this.#saved = { pixels, label };
    });
  }

  removeLast() {
    return this.#enqueue(async () => {
      const info = await server.removeLast(this.#recognition.model);
      this.#saved = null;
      show(info, info.label == null ? "There is nothing to remove." : `Removed a ${info.label}.`);
    });
  }

  #enqueue(request) {
    this.#queue = this.#queue.then(request).catch((error) => {
      $("note").textContent = error.message;
    });
    return this.#queue;
  }
}

function show(info, note = "") {
  DIGITS.forEach((d) => {
    const button = $("labels").children[d];
    button.querySelector("small").textContent = info.counts[d];
    button.setAttribute("aria-label", `Save as ${d}. Saved so far: ${info.counts[d]}.`);
  });
  setDisabled($("remove-last"), !info.undoable);
  $("total").textContent = `${info.total} in ${info.file}`;
  $("train").hidden = !info.train;
  $("command").textContent = info.train;
  $("note").textContent = note;
}
