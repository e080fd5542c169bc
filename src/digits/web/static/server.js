// The HTTP API. An error response becomes an Error with the server's own message.

// Resolves to the decoded JSON; of a picture, to {blob, pages}.
async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not respond. Start `digits app` again.");
  }
  if (response.headers.get("Content-Type") === "image/png") {
    return { blob: await response.blob(), pages: Number(response.headers.get("Digits-Pages")) };
  }
  const content = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Error(content.detail ?? `The server responded with status ${response.status}.`);
  }
  return content;
}

async function send(path, blob, name, query, field = "files") {
  const body = new FormData();
  body.append(field, blob, name);
  return ask(`${path}?${new URLSearchParams(query)}`, { method: "POST", body });
}

export const models = () => ask("/api/models");
export const predict = async (...picture) => (await send("/api/predict", ...picture))[0];
export const read = async (...picture) => (await send("/api/read", ...picture))[0];
export const page = (blob, name, number) => send("/api/page", blob, name, { number }, "file");
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
