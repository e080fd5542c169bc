// The HTTP API. An error response becomes an Error with the server's own message.

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not respond. Start `digits app` again.");
  }
  const content = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Error(content.detail ?? `The server responded with status ${response.status}.`);
  }
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

// `model`: name of the model that the training command in the response starts from.
const query = (model) => (model ? `?${new URLSearchParams({ model })}` : "");

export const collection = (model) => ask(`/api/mine${query(model)}`);
export const removeLast = (model) => ask(`/api/mine/last${query(model)}`, { method: "DELETE" });
export const save = (label, pixels, model) => ask(`/api/mine${query(model)}`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ label, pixels }),
});
