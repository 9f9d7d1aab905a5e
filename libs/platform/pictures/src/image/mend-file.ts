import type { ImageFormat } from './sniff-format.js';

const [startOfScan, endOfImage] = [Buffer.of(0xff, 0xda), Buffer.of(0xff, 0xd9)];

/** A file as the loaders take it, and how much of a fault they may see in it. */
export type MendedFile = { readonly file: Buffer; readonly failOn: 'error' | 'warning' };

/**
 * Puts right what others read without a word. libvips knows an AVIF by its major brand, and not the one of animations,
 * whose first frame is a still of its own (AVIF §6.2). A JPEG without its end marker counts as cut off: with one it is read,
 * and is whole unless the decoder then misses something, of which it only warns.
 */
export function mendFile(file: Buffer, format: ImageFormat): MendedFile {
  if (format === 'avif' && file.toString('latin1', 8, 12) !== 'avif') {
    const mended = Buffer.from(file);
    mended.write('avif', 8, 'latin1');
    return { file: mended, failOn: 'error' };
  }
  if (format === 'jpeg' && file.lastIndexOf(endOfImage) < file.lastIndexOf(startOfScan)) {
    return { file: Buffer.concat([file, endOfImage]), failOn: 'warning' };
  }
  return { file, failOn: 'error' };
}
