/* The pages at /m and /m/new. Text only ever goes into the page as text (`textContent`). */

const api = new URL('../v1/', import.meta.url);
const bodyLimitBytes = 65_536;
/** As in libs/messages/src/links/link-tokens.ts: marks may stand before the token, and anything behind it. */
const tokenPattern = /^(?:%(?:25)*[\dA-F]{2}|[^\w%-])*([\w-]{43})/i;
/** Controls of direction and characters without width. */
const invisible = /[\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]/;

/** In memory only: they are gone with the page. */
let accessToken;
let revealed = '';

const $ = (id) => document.getElementById(id);
const on = (id, event, handler) => $(id).addEventListener(event, (happened) => void handler(happened));
const show = (...ids) => {
  for (const section of document.querySelectorAll('section')) section.hidden = !ids.includes(section.id);
};

async function call(method, path, body) {
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
async function busy(button, work) {
  button.disabled = true;
  try {
    return await work();
  } catch {
    return { status: 0 };
  } finally {
    button.disabled = false;
  }
}

function explain({ status, answer, retryAfter }) {
  if (status === 0) return 'The server cannot be reached. Check your connection.';
  if (status === 429 && retryAfter) return `That was too often. Try again in ${retryAfter} seconds.`;
  if (status >= 500) return 'The server cannot answer now. Try again shortly.';
  const fields = (answer?.errors ?? []).map(({ path, message }) => `${path}: ${message}`).join(' ');
  return fields || answer?.detail || 'Something went wrong.';
}

const timeText = (iso) =>
  new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' }).format(new Date(iso));

async function signIn(event, then) {
  event.preventDefault();
  const form = event.target;
  $('sign-in-error').textContent = '';
  const { userName, password } = Object.fromEntries(new FormData(form));
  accessToken = undefined;
  const result = await busy(form.querySelector('button'), () => call('POST', 'auth/login', { userName, password }));
  if (result.status !== 200) {
    $('sign-in-error').textContent = explain(result);
    return;
  }
  form.reset();
  accessToken = result.answer.accessToken;
  then();
}

/** Where the clipboard is closed to us (plain http), the text is selected for the keyboard. */
async function copy(element, text) {
  try {
    await navigator.clipboard.writeText(text);
    $('copied').textContent = 'Copied.';
  } catch {
    if (element.select) element.select();
    else getSelection().selectAllChildren(element);
    element.focus();
    $('copied').textContent = 'Selected: press Ctrl+C or ⌘C to copy.';
  }
}

const tokenOfPage = () => tokenPattern.exec(location.hash)?.[1];

function say(title, lead) {
  $('title').textContent = title;
  $('lead').textContent = lead;
}

function sayFailure(result) {
  if (result.status === 404) {
    say('There is no message for you here', '');
    show('missing');
    return;
  }
  if (result.status === 401) {
    accessToken = undefined;
    say('Your sign-in has ended', 'Sign in again to look for the message.');
    show('missing');
    $('sign-in-box').open = true;
    return;
  }
  say('The message could not be loaded', explain(result));
  show('failed');
}

/** What the message is. Uses nothing up. */
async function look() {
  if (!tokenOfPage()) {
    say('This link is not complete', 'Copy the whole link, up to its last character, and open it again.');
    show();
    return;
  }
  const result = await busy($('again'), () => call('GET', `messages/${tokenOfPage()}`));
  if (result.status !== 200) {
    sayFailure(result);
    return;
  }
  const { expiresAt, readsLeft, recipientId } = result.answer;
  const times = readsLeft === 1 ? 'once' : `${readsLeft} more times`;
  say('You have a private message', 'Nothing has been opened yet.');
  $('reads').textContent = readsLeft === null ? 'any number of times' : times;
  $('expires').textContent = timeText(expiresAt);
  $('expires').dateTime = expiresAt;
  $('personal').hidden = recipientId === null;
  $('last').hidden = readsLeft !== 1;
  show('closed');
}

/** Uses one read up. */
async function reveal() {
  const result = await busy($('reveal'), () => call('POST', `messages/${tokenOfPage()}/reveal`));
  if (result.status !== 200) {
    sayFailure(result);
    return;
  }
  const { body, readsLeft, expiresAt } = result.answer;
  revealed = body;
  say('Your private message', '');
  $('text').textContent = body;
  $('invisible').hidden = !invisible.test(body);
  $('left').textContent =
    readsLeft === 0
      ? 'It has been deleted from the server: this page shows the only copy that is left. It is gone when you close it.'
      : `It can be opened again until ${timeText(expiresAt)}.`;
  $('copied').textContent = '';
  show('open');
  // a screen reader goes on from here
  $('title').focus();
}

function startReading() {
  on('reveal', 'click', reveal);
  on('again', 'click', look);
  on('copy', 'click', () => copy($('text'), revealed));
  on('sign-in', 'submit', (event) => signIn(event, look));
  addEventListener('hashchange', () => void look());
  void look();
}

function measure() {
  const { body } = $('compose').elements;
  const bytes = new TextEncoder().encode(body.value).length;
  $('size').textContent = `${bytes.toLocaleString('en')} of ${bodyLimitBytes.toLocaleString('en')} bytes`;
  body.setCustomValidity(bytes > bodyLimitBytes ? 'This is longer than a message may be.' : '');
}

function write() {
  $('link').value = '';
  show('writing');
  $('compose').elements.body.focus();
}

function clear() {
  $('compose').reset();
  measure();
}

async function send(event) {
  event.preventDefault();
  $('compose-error').textContent = '';
  // not from FormData, which has the line ends of mail
  const { body, maxReads, expiresIn, recipientId } = $('compose').elements;
  const message = {
    body: body.value,
    expiresIn: Number(expiresIn.value),
    ...(maxReads.value && { maxReads: Number(maxReads.value) }),
    ...(recipientId.value.trim() && { recipientId: recipientId.value.trim() }),
  };
  const result = await busy($('make'), () => call('POST', 'messages', message));
  if (result.status === 401) {
    accessToken = undefined;
    $('sign-in-error').textContent = 'Your sign-in has ended. Sign in again: what you wrote is still there.';
    show('signing-in');
  } else if (result.status === 201) {
    sayMade(result.answer);
  } else {
    $('compose-error').textContent = explain(result);
  }
}

function sayMade({ url, expiresAt }) {
  clear();
  $('link').value = url;
  $('made-lead').textContent = `The message is ready. It is deleted on ${timeText(expiresAt)} at the latest.`;
  $('copied').textContent = '';
  show('made');
  $('link').focus();
  $('link').select();
}

async function signOut() {
  await busy($('sign-out'), () => call('POST', 'auth/logout'));
  accessToken = undefined;
  clear();
  show('signing-in');
}

function startWriting() {
  on('compose', 'input', measure);
  on('compose', 'submit', send);
  on('sign-out', 'click', signOut);
  on('copy', 'click', () => copy($('link'), $('link').value));
  on('another', 'click', write);
  on('sign-in', 'submit', (event) => signIn(event, write));
}

$('host').textContent = location.host;
if (document.body.dataset.page === 'read') startReading();
else startWriting();
