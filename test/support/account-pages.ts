import { codeOf, newHolder, tokenOf, type Mailbox } from './reset-mailbox.js';
import { type Person, signInAdmin, uniqueName } from './people.js';
import type { Gatehouse } from './start-gatehouse.js';

/** A mail that somebody has got, and who it is. */
export type Mailed = {
  readonly person: Person & { readonly email: string };
  readonly token: string;
  readonly code: string;
};

const paths = { verify: 'email-verification', reset: 'password-reset' } as const;

/** Somebody who has got a mail with a link and a code. */
export async function newMailed(gatehouse: Gatehouse, mailbox: Mailbox, kind: keyof typeof paths): Promise<Mailed> {
  const person = await newHolder(gatehouse, { isVerified: kind === 'reset' });
  const { email } = person;
  const before = mailbox.of(email).length;
  const asked = await gatehouse.api.post(`/v1/auth/${paths[kind]}`, { body: { email } });
  if (asked.status !== 202) throw new Error(asked.text);
  const mail = (await mailbox.wait(email, before + 1)).at(-1);
  if (!mail) throw new Error('no mail has come');
  return { person, token: tokenOf(mail), code: codeOf(mail) };
}

/** The token of a new invitation. */
export async function newInvitation(gatehouse: Gatehouse, fields: Record<string, unknown> = {}): Promise<string> {
  const { token } = await signInAdmin(gatehouse);
  const body = { email: `${uniqueName('mail')}@example.org`, ...fields };
  const made = await gatehouse.api.post('/v1/invitations', { token, body });
  if (made.status !== 201) throw new Error(made.text);
  return String(made.body.url).split('#')[1] ?? '';
}

/** What a browser without JavaScript sends, and the page that it gets. */
export async function sendForm(
  { url }: Gatehouse,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  const answer = await fetch(url + path, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams(fields),
    headers,
  });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** Programs that look at links in mail and in chats before people do. */
export const linkScanners = [
  'Mozilla/5.0 (compatible; Microsoft Defender SafeLinks)',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) BingPreview/1.0b',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  'WhatsApp/2.23.20.0',
  'TelegramBot (like TwitterBot)',
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Twitterbot/1.0',
  'LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)',
  'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)',
  'SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (Windows NT 6.1; rv:6.0) Gecko/20110814 Firefox/6.0 Google (+https://developers.google.com/+/web/snippet/)',
  'Barracuda Sentinel (EE)',
  'Mimecast URL Protection',
  'ProofpointURLDefense/2.0',
] as const;
