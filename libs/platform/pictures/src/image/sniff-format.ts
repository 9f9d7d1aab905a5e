export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'gif' | 'avif';

/** So much of a file says what it is. */
export const headBytes = 64;

const startsWith = (head: Buffer, bytes: readonly number[]): boolean => bytes.every((byte, at) => head[at] === byte);
const ascii = (head: Buffer, start: number, end: number): string => head.toString('latin1', start, end);

/**
 * What an image is by its first 64 bytes; neither its name nor its declared type is asked. Nothing for all that is not
 * taken, SVG, TIFF, PDF and HEIC among it.
 */
export function sniffFormat(head: Buffer): ImageFormat | undefined {
  if (startsWith(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png';
  if (startsWith(head, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (/^GIF8[79]a$/.test(ascii(head, 0, 6))) return 'gif';
  if (ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 12) === 'WEBP') return 'webp';
  return ascii(head, 4, 8) === 'ftyp' && isAvif(head) ? 'avif' : undefined;
}

/** Major and compatible brands of an ISO base media file (ISO/IEC 14496-12 §4.3); HEIC has the same box with others. */
function isAvif(head: Buffer): boolean {
  const end = Math.min(head.length, head.readUInt32BE(0));
  const brands = ascii(head, 8, end).match(/.{4}/gs) ?? [];
  return brands.some((brand) => brand === 'avif' || brand === 'avis');
}
