// What the page asks of the server. A refusal becomes an Error with the server's own sentence.

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Start `digits app` again.");
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.detail ?? `The server answered ${answer.status}.`);
  return content;
}

async function send(path, blob, name, query) {
  const body = new FormData();
  body.append("files", blob, name);
  return (await ask(`${path}?${new URLSearchParams(query)}`, { method: "POST", body }))[0];
}

export const models = () => ask("/api/models");
export const predict = (blob, name, query) => send("/api/predict", blob, name, query);
export const read = (blob, name, query) => send("/api/read", blob, name, query);
export const random = () => ask("/api/random");

const of = (model) => (model ? `?${new URLSearchParams({ model })}` : "");

export const mine = (model) => ask(`/api/mine${of(model)}`);
export const takeBack = (model) => ask(`/api/mine/last${of(model)}`, { method: "DELETE" });
export const keep = (label, pixels, model) => ask(`/api/mine${of(model)}`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ label, pixels }),
});
