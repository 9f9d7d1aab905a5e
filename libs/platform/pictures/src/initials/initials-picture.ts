import { colourOf } from './colour.js';
import { initialsOf } from './initials.js';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeXml = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => escapes[sign] ?? '');

type Named = { readonly id: string; readonly firstName: string; readonly lastName: string };

/** A user's initials on a colour of its own, as SVG, with no script, no style sheet and no reference in it. */
export function initialsPicture({ id, firstName, lastName }: Named, size: number): string {
  const initials = escapeXml(initialsOf(firstName, lastName));
  const text = `x="50" y="50" dy=".35em" fill="#fff" font-family="system-ui,sans-serif" font-size="42" text-anchor="middle"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 100 100" role="img" aria-label="${initials}">` +
    `<rect width="100" height="100" fill="${colourOf(id)}"/><text ${text}>${initials}</text></svg>`
  );
}
