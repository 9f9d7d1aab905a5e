import type { ImageFormat } from './sniff-format.js';

/**
 * What part of the most pixels a format may have, by the memory that reading it takes at worst (measured at 50 MP):
 * 1 byte a pixel for WebP and baseline JPEG, 6 for progressive JPEG, 5 for GIF, 10 for PNG (16 bit, interlaced), 25 for
 * AVIF (12 bit, 4:4:4).
 */
const shares: Readonly<Record<ImageFormat, number>> = { jpeg: 1, webp: 1, gif: 0.5, png: 0.25, avif: 0.16 };
const progressiveShare = 0.5;

/** Of a whole file. */
export function pixelShareOf(file: Buffer, format: ImageFormat): number {
  return format === 'jpeg' && !isBaseline(file) ? progressiveShare : shares[format];
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
