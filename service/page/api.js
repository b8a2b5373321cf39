// The server's API.

export class Refused extends Error {}

async function asked(path, options) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(body.detail || `${response.status}`);
  return body;
}

let token = "";
export const useToken = (given) => { token = given; };

export const get = (path) => asked(path);
export const post = (path, body, signal) => asked(path, {
  method: "POST",
  signal,
  headers: { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) },
  body: JSON.stringify(body ?? {}),
});

export const search = (body, signal) => post("/v1/search", body, signal);
