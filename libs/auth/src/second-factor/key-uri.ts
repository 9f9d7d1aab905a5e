import { stepSeconds, toBase32 } from './totp.js';

/** Whose secret, and at which installation; `publicUrl` is its `PUBLIC_URL`. */
type Account = { readonly publicUrl: string; readonly userName: string };

/**
 * What authenticator apps read from a QR code (github.com/google/google-authenticator/wiki/
 * Key-Uri-Format). The issuer is the host without its port: a colon ends the issuer.
 */
export function keyUri(secret: Buffer, { publicUrl, userName }: Account): string {
  const issuer = encodeURIComponent(new URL(publicUrl).hostname.replaceAll(/[[\]:]/g, ''));
  const parameters = `secret=${toBase32(secret)}&issuer=${issuer}&algorithm=SHA1&digits=6&period=${stepSeconds}`;
  return `otpauth://totp/${issuer}:${encodeURIComponent(userName)}?${parameters}`;
}

/** A QR code as a data URL of SVG, with the quiet zone that scanners want (ISO/IEC 18004 §9.1). */
export async function toQrCode(text: string): Promise<string> {
  // few requests need it: the import costs the start nothing
  const { renderSVG } = await import('uqr');
  const svg = renderSVG(text, { ecc: 'M', border: 4, pixelSize: 4 });
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
