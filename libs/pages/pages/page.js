/* What the scripts of all pages share. Text only ever goes into a page as text (`textContent`). */

const api = new URL('../v1/', import.meta.url);

export const $ = (id) => document.getElementById(id);
export const on = (id, event, handler) => $(id).addEventListener(event, (happened) => void handler(happened));
export const show = (...ids) => {
  for (const section of document.querySelectorAll('section')) section.hidden = !ids.includes(section.id);
};

/** The secret behind the `#` of the link, which browsers send to no server. */
export const secretOfPage = (pattern) => pattern.exec(location.hash)?.[1];

/** Asks the API. Nothing is kept of it, and no cookie of others goes with it. */
export async function call(method, path, { body, accessToken } = {}) {
  const response = await fetch(new URL(path, api), {
    method,
    cache: 'no-store',
    redirect: 'error',
    headers: {
      accept: 'application/json',
      ...(body && { 'content-type': 'application/json' }),
      ...(accessToken && { authorization: `Bearer ${accessToken}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : undefined;
  return { status: response.status, answer, retryAfter: Number(response.headers.get('retry-after')) || 0 };
}

/** One thing at a time: a second click on the way uses nothing up. */
export async function busy(button, work) {
  button.disabled = true;
  try {
    return await work();
  } catch {
    return { status: 0 };
  } finally {
    button.disabled = false;
  }
}

export function explain({ status, answer, retryAfter }) {
  if (status === 0) return 'The server cannot be reached. Check your connection.';
  if (status === 429 && retryAfter) return `That was too often. Try again in ${retryAfter} seconds.`;
  if (status >= 500) return 'The server cannot answer now. Try again shortly.';
  const fields = (answer?.errors ?? []).map(({ path, message }) => `${path}: ${message}`).join(' ');
  return fields || answer?.detail || 'Something went wrong.';
}
