import { escapeHtml } from '#libs/platform/contract';

/**
 * A text of a mail: a line `Subject: …`, an empty line, paragraphs with empty lines between. A
 * paragraph `[label]({{variable}})` alone is a button, and `{{code}}` alone is shown large.
 * `{{name}}` stands for a variable.
 */
export type MailText = { readonly subject: string; readonly paragraphs: readonly string[] };

type Variables = Readonly<Record<string, string>>;

const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g;
const button = /^\[([^[\]]+)\]\((\{\{[^{}]+\}\})\)$/;

/** @throws Error that says what is wrong with it */
export function parseMailText(text: string, allowed: readonly string[]): MailText {
  const [head = '', ...paragraphs] = text
    .replaceAll('\r\n', '\n')
    .trim()
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.replaceAll(/\s*\n\s*/g, ' ').trim());
  const [, subject] = /^Subject: (\S.*)$/.exec(head) ?? [];
  if (subject === undefined) throw new Error('it must begin with a line `Subject: …` and an empty line');
  if (paragraphs.length === 0) throw new Error('it has no paragraphs');
  if (placeholder.test(subject)) throw new Error('its subject takes no variables');
  const used = paragraphs.flatMap((paragraph) => [...paragraph.matchAll(placeholder)].map(([, name = '']) => name));
  const unknown = used.find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw new Error(
      `there is no variable {{${unknown}}} here, but: ${allowed.map((name) => `{{${name}}}`).join(', ')}`,
    );
  }
  return { subject, paragraphs };
}

/** What a mail program shows. `time` and `expires` are given as ISO 8601, and shown in words. */
export type RenderedMail = { readonly subject: string; readonly text: string; readonly html: string };

export function renderMail(text: MailText, variables: Variables, locale: string): RenderedMail {
  const shown = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, times.has(name) ? inWords(value, locale) : value]),
  );
  return { subject: text.subject, text: toPlainText(text, shown), html: toHtml(text, shown, locale) };
}

const times: ReadonlySet<string> = new Set(['time', 'expires']);

/** In UTC, and it says so: nothing tells where the reader is. */
function inWords(instant: string, locale: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  const format = { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' } as const;
  return `${new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, format).format(date)} UTC`;
}

const fill = (paragraph: string, variables: Variables): string =>
  paragraph.replaceAll(placeholder, (_, name: string) => oneLine(variables[name] ?? ''));

/** Plain text, a paragraph a line: clients wrap it themselves (RFC 3676 is not widely read). */
export const toPlainText = ({ paragraphs }: MailText, variables: Variables): string =>
  `${paragraphs.map((paragraph) => fill(paragraph.replace(button, '$1:\n$2'), variables)).join('\n\n')}\n`;

/**
 * One page without anything remote. It follows the reader's light or dark scheme; what must not be
 * lost has its style in the element too, since some mail programs drop `<style>`.
 */
export function toHtml({ subject, paragraphs }: MailText, variables: Variables, locale: string): string {
  const escaped = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, escapeHtml(value)]));
  const body = paragraphs.map((paragraph) => {
    if (paragraph === '{{code}}') return `<p class="code" style="${codeStyle}">${escaped['code'] ?? ''}</p>`;
    const [, label, link] = button.exec(paragraph) ?? [];
    if (label === undefined || link === undefined) return `<p>${fill(escapeHtml(paragraph), escaped)}</p>`;
    const address = fill(link, escaped);
    return `<p><a class="button" style="${buttonStyle}" href="${address}">${escapeHtml(label)}</a></p>\n<p class="address">${address}</p>`;
  });
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
<style>${style}</style>
</head>
<body><div class="page">
<h1>${escapeHtml(subject)}</h1>
${body.join('\n')}
<p class="service">${escaped['service'] ?? ''}</p>
</div></body>
</html>
`;
}

const buttonStyle =
  'display:inline-block;padding:12px 20px;background:#1a56b0;color:#fff;border-radius:6px;text-decoration:none';
/** Spaced by style alone: what is copied is the eight digits. */
const codeStyle = 'font:600 28px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:4px';

const style = `:root{color-scheme:light dark}
body{margin:0;padding:24px 16px;background:#f4f5f7;color:#1c2128;font:16px/1.5 system-ui,sans-serif}
.page{max-width:560px;margin:0 auto;padding:24px;background:#fff;border-radius:8px}
h1{margin:0 0 16px;font-size:20px;line-height:1.3}
p{margin:0 0 16px;overflow-wrap:anywhere}
.address,.service{font-size:13px;color:#57606a}
@media (prefers-color-scheme:dark){body{background:#14171c;color:#e6e8eb}.page{background:#1f242b}
.button{background:#4c8ddb!important;color:#0b0d10!important}.address,.service{color:#9aa4af}}`;

/** What people chose may hold line breaks and controls; a mail shows it in one line. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
