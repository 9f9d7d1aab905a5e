export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'gif' | 'avif';

/** The first bytes of a file, which tell its format. */
export const headBytes = 64;

const startsWith = (head: Buffer, bytes: readonly number[]): boolean => bytes.every((byte, at) => head[at] === byte);
const ascii = (head: Buffer, start: number, end: number): string => head.toString('latin1', start, end);

/**
 * The format of an image by its first 64 bytes, whatever its name and its declared type say.
 * Undefined for every other format, such as SVG, TIFF, PDF and HEIC.
 */
export function sniffFormat(head: Buffer): ImageFormat | undefined {
  if (startsWith(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return 'png';
  if (startsWith(head, [0xff, 0xd8, 0xff])) return 'jpeg';
  if (/^GIF8[79]a$/.test(ascii(head, 0, 6))) return 'gif';
  if (ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 12) === 'WEBP') return 'webp';
  return ascii(head, 4, 8) === 'ftyp' && isAvif(head) ? 'avif' : undefined;
}

/** Major and compatible brands (ISO/IEC 14496-12 §4.3); HEIC has the same box with other brands. */
function isAvif(head: Buffer): boolean {
  const end = Math.min(head.length, head.readUInt32BE(0));
  const brands = ascii(head, 8, end).match(/.{4}/gs) ?? [];
  return brands.some((brand) => brand === 'avif' || brand === 'avis');
}

/**
 * The share of the pixel limit that a format may use, by the memory that decoding it takes at
 * worst. Measured at 50 MP, in bytes a pixel: WebP and baseline JPEG 1, GIF 5, progressive JPEG 6,
 * PNG (16 bit, interlaced) 10, AVIF (12 bit, 4:4:4) 25.
 */
const pixelShares: Readonly<Record<ImageFormat, number>> = { jpeg: 1, webp: 1, gif: 0.5, png: 0.25, avif: 0.16 };
const progressiveShare = 0.5;

/** @param file the whole file: a JPEG tells only behind its head whether it is progressive */
export function pixelShareOf(file: Buffer, format: ImageFormat): number {
  return format === 'jpeg' && !isBaseline(file) ? progressiveShare : pixelShares[format];
}

const [startOfFrame, extendedFrame, startOfScan] = [0xc0, 0xc1, 0xda];

/** Whether the frame header is that of a JPEG that can be read row by row (ITU T.81 §B.1.1.3). */
function isBaseline(file: Buffer): boolean {
  for (let at = 2; at + 4 <= file.length && file[at] === 0xff;) {
    const marker = file[at + 1];
    if (marker === startOfFrame || marker === extendedFrame) return true;
    if (marker === startOfScan) return false;
    // fill bytes may precede a marker
    at += marker === 0xff ? 1 : 2 + file.readUInt16BE(at + 2);
  }
  return false;
}

const [scanMarker, endMarker] = [Buffer.of(0xff, 0xda), Buffer.of(0xff, 0xd9)];

/** A file that libvips can load, and how severe a fault must be to refuse it. */
export type MendedFile = { readonly file: Buffer; readonly failOn: 'error' | 'warning' };

/**
 * Mends faults that browsers overlook. libvips knows an AVIF by its major brand, and not the brand
 * of animations, whose first frame is a still image (AVIF §6.2). It takes a JPEG without an end
 * marker for truncated: with the marker added it loads, and the decoder warns if data is missing.
 */
export function mendFile(file: Buffer, format: ImageFormat): MendedFile {
  if (format === 'avif' && ascii(file, 8, 12) !== 'avif') {
    const mended = Buffer.from(file);
    mended.write('avif', 8, 'latin1');
    return { file: mended, failOn: 'error' };
  }
  if (format === 'jpeg' && file.lastIndexOf(endMarker) < file.lastIndexOf(scanMarker)) {
    return { file: Buffer.concat([file, endMarker]), failOn: 'warning' };
  }
  return { file, failOn: 'error' };
}
