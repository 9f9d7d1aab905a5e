/* The pages for accounts. The forms are sent by the browser itself; this reads the link for them. */
import { $, secretOfPage, show } from './page.js';

/** As in libs/pages/src/account/account-links.ts. */
const tokenPattern = /^(?:%(?:25)*[\dA-F]{2}|[^\da-z%])*([\da-f]{40})/i;

/**
 * The token goes from the address bar into the form. It is kept with this entry of the history, so
 * that a reload finds it again. Nothing is sent before a button is pressed.
 */
function readLink() {
  const found = secretOfPage(tokenPattern)?.toLowerCase();
  const isCut = found === undefined && location.hash.length > 1;
  const token = found ?? (isCut ? undefined : history.state?.token);
  if (location.hash !== '') history.replaceState({ token }, '', location.pathname);
  $('cut').hidden = !isCut;
  if (token === undefined) return;
  for (const field of document.getElementsByName('token')) field.value = token;
  if ($('pasted')) $('pasted').hidden = true;
  if (!$('link')) return;
  show('link');
  document.title = $('link-title').textContent;
}

/** One thing at a time: a second click on the way sends nothing. */
function sendOnce(event) {
  const form = event.target;
  if (form.ariaBusy === 'true') {
    event.preventDefault();
    return;
  }
  form.ariaBusy = 'true';
}

function showPassword({ target: button }) {
  const field = $(button.dataset.shows);
  const isShown = field.type === 'text';
  field.type = isShown ? 'password' : 'text';
  button.ariaPressed = String(!isShown);
}

$('host').textContent = location.host;
for (const button of document.querySelectorAll('[data-shows]')) {
  button.hidden = false;
  button.addEventListener('click', showPassword);
}
for (const form of document.forms) form.addEventListener('submit', sendOnce);
// the browser may show the page again as it was left
addEventListener('pageshow', () => {
  for (const form of document.forms) form.ariaBusy = null;
});
addEventListener('hashchange', readLink);
readLink();
