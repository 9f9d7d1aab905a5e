import { domainToASCII } from 'node:url';

/** Most octets before the `@` and in all (RFC 5321 §4.5.3.1, less the angle brackets). */
const localLimit = 64;
export const emailLimit = 254;

// The grammar of `<input type="email">` (HTML standard, §4.10.5.1.5), in two halves.
const localPart = /^[\w.!#$%&'*+/=?^`{|}~-]+$/;
const label = '[a-z\\d](?:[a-z\\d-]{0,61}[a-z\\d])?';
const asciiDomain = new RegExp(`^${label}(?:\\.${label})*$`, 'i');

const isAscii = (text: string): boolean => /^[\x21-\x7E]*$/.test(text);

/** What is wrong with an address, for the person who typed it. */
export type EmailFault = { readonly code: 'invalid-format' | 'too-big'; readonly message: string };

/** @returns undefined when browsers and mail servers accept the address */
export function faultOfEmail(email: string): EmailFault | undefined {
  const [local, domain] = partsOf(email);
  const ascii = toAsciiDomain(domain);
  if (!isAscii(local)) return invalid(onlyAscii);
  if (!localPart.test(local) || !asciiDomain.test(ascii)) return invalid('must be an e-mail address');
  if (local.length > localLimit) return tooBig(`must have at most ${localLimit} characters before the @`);
  if (local.length + 1 + ascii.length <= emailLimit) return undefined;
  return tooBig(`must have at most ${emailLimit} characters, with its domain in ASCII (xn--…)`);
}

const onlyAscii = 'must have only ASCII characters before the @: SMTPUTF8 addresses are not taken';
const invalid = (message: string): EmailFault => ({ code: 'invalid-format', message });
const tooBig = (message: string): EmailFault => ({ code: 'too-big', message });

/**
 * The key by which addresses are compared: in lower case, as every large mail service does (allowed
 * by RFC 5321 §2.4), with an internationalized domain as A-labels. A text that is no address gets a
 * key that no address has.
 */
export function toEmailKey(email: string): string {
  const [local, domain] = partsOf(email);
  return `${local}@${toAsciiDomain(domain)}`.toLowerCase();
}

function partsOf(email: string): readonly [local: string, domain: string] {
  const at = email.lastIndexOf('@');
  return at < 0 ? [email, ''] : [email.slice(0, at), email.slice(at + 1)];
}

/** UTS #46; empty for what is no domain. ASCII stays: browsers accept `xn--` with any rest. */
function toAsciiDomain(domain: string): string {
  if (isAscii(domain)) return domain;
  // refused here, since `domainToASCII` would read them as parts of a URL: port, path, escape
  return /[^\P{ASCII}a-z\d.-]/iu.test(domain) ? '' : domainToASCII(domain);
}
