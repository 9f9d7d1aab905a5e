/* The pages at /m and /m/new. Text only ever goes into the page as text (`textContent`). */
import { $, busy, call, explain, on, secretOfPage, show } from './page.js';

const bodyLimitBytes = 65_536;
/** As in libs/messages/src/links/link-tokens.ts: marks may stand before the token, and anything behind it. */
const tokenPattern = /^(?:%(?:25)*[\dA-F]{2}|[^\w%-])*([\w-]{43})/i;
/** Controls of direction and characters without width. */
const invisible = /[\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFEFF]/;

/** In memory only: they are gone with the page. */
let accessToken;
let revealed = '';

const timeText = (iso) =>
  new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' }).format(new Date(iso));

/** What waits for the code of the second factor. */
let challenge;

async function signIn(event, then) {
  event.preventDefault();
  const form = event.target;
  const { userName, password, code } = Object.fromEntries(new FormData(form));
  accessToken = undefined;
  const [path, body] = challenge
    ? ['auth/login/second-factor', { challenge, code: code.trim() }]
    : ['auth/login', { userName, password }];
  $('sign-in-error').textContent = '';
  const result = await busy(form.querySelector('button'), () => call('POST', path, { body }));
  if (result.status === 200) {
    form.reset();
    askFor(form, undefined);
    accessToken = result.answer.accessToken;
    then();
    return;
  }
  if (result.answer?.code === 'second-factor-required') {
    askFor(form, result.answer.challenge);
    return;
  }
  $('sign-in-error').textContent = explain(result);
  // a challenge that has ended cannot be answered: the password is asked for again
  if (result.answer?.code === 'invalid-challenge') askFor(form, undefined);
}

/** Asks for the code of the second factor when there is a challenge, else for the password. */
function askFor(form, wanted) {
  challenge = wanted;
  const { userName, password, code } = form.elements;
  const isCode = challenge !== undefined;
  for (const field of [userName, password]) field.disabled = field.parentElement.hidden = isCode;
  code.disabled = code.parentElement.hidden = !isCode;
  code.value = '';
  (isCode ? code : password).focus();
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

const tokenOfPage = () => secretOfPage(tokenPattern);

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
  const result = await busy($('again'), () => call('GET', `messages/${tokenOfPage()}`, { accessToken }));
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
  const result = await busy($('reveal'), () => call('POST', `messages/${tokenOfPage()}/reveal`, { accessToken }));
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
  const result = await busy($('make'), () => call('POST', 'messages', { body: message, accessToken }));
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
  await busy($('sign-out'), () => call('POST', 'auth/logout', { accessToken }));
  accessToken = undefined;
  clear();
  show('signing-in');
}

function startWriting() {
  // hidden without this script: the browser would send the password by itself
  show('signing-in');
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
