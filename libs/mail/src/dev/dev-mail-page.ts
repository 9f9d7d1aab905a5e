import { escapeHtml } from '#libs/platform/contract';

import type { KeptMail } from './kept-mails.js';

/** The list; it says what to do when there is none. */
export function renderList(mails: readonly KeptMail[]): string {
  const rows = mails.map(
    ({ id, keptAt, to, subject }) =>
      `<li><a href="mail/${id}">${escapeHtml(subject)}</a><span>to ${escapeHtml(to)}</span>${timeOf(keptAt)}</li>`,
  );
  const empty =
    '<p>No mail yet. <code>npm run cli -- mail test you@example.org</code> writes one, and so does whatever sends mail.</p>';
  return page('Mail', '', rows.length > 0 ? `<ul>\n${rows.join('\n')}\n</ul>` : empty);
}

/** One mail: its text with links that can be followed, and its HTML in a frame without rights. */
export function renderMailPage({ id, keptAt, to, subject, text }: KeptMail): string {
  return page(
    subject,
    '../',
    `<p>To ${escapeHtml(to)}, ${timeOf(keptAt)}</p>
<h2>Text</h2>
<pre>${withLinks(escapeHtml(text))}</pre>
<h2>HTML</h2>
<iframe src="${id}/html" sandbox="" title="The mail as HTML"></iframe>
<p><a href="${id}/source">Source</a> · <a href="../mail">All mail</a></p>`,
  );
}

const timeOf = (at: Date): string => {
  const iso = at.toISOString();
  return `<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
};

/** Of text that is escaped already; none of ours ends with punctuation. */
const withLinks = (escaped: string): string =>
  escaped.replaceAll(/https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g, (url) => `<a href="${url}" rel="noreferrer">${url}</a>`);

/** `up` leads from the page to the folder of the list. */
const page = (title: string, up: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${up}mail.css">
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`;
