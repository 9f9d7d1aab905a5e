import { deflateSync, gzipSync } from 'node:zlib';

import sharp, { type Sharp } from 'sharp';

import {
  animatedWebp,
  emptyWebp,
  enlargedAvif,
  enlargedJpeg,
  gif,
  png,
  pngChunk,
  repeatedScans,
} from './image-bytes.ts';

/** A file that somebody may send, and the statuses that may answer it. */
export type Hostile = { readonly name: string; readonly bytes: Buffer; readonly statuses: readonly number[] };

/** What must never come out again. */
export const marker = 'gatehouse-hostile-marker';
const script = `<script>alert("${marker}")</script>`;

const unsupported = [415];
const refused = [422];
const taken = [200];
const either = [200, 422];
const formats = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const;

type Seeds = Readonly<Record<(typeof formats)[number] | 'progressive', Buffer>>;

/** Small honest pictures, from which dishonest ones are made. */
async function makeSeeds(): Promise<Seeds> {
  const pixels = Buffer.from(Array.from({ length: 16 * 16 * 3 }, (_, at) => (at * 97) % 256));
  const base = sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } });
  const files = await Promise.all(formats.map((format) => base.clone().toFormat(format).toBuffer()));
  const seeds = Object.fromEntries(formats.map((format, at) => [format, files[at]]));
  return { ...seeds, progressive: await base.clone().jpeg({ progressive: true }).toBuffer() } as Seeds;
}

const text = (name: string, content: string): Hostile => ({ name, bytes: Buffer.from(content), statuses: unsupported });
const hex = (name: string, bytes: string): Hostile => ({
  name,
  bytes: Buffer.concat([Buffer.from(bytes.replaceAll(' ', ''), 'hex'), Buffer.alloc(100)]),
  statuses: unsupported,
});

const svg = (inside: string, before = ''): string =>
  `${before}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">${inside}</svg>`;

/** What is no picture of ours, whatever its name says. */
const foreign: readonly Hostile[] = [
  text('SVG with a script', svg(script)),
  text(
    'SVG with an external entity',
    svg('<text>&x;</text>', '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
  ),
  text('SVG that loads a file', svg('<image xlink:href="file:///etc/passwd" width="9" height="9"/>')),
  text(
    'SVG of a billion laughs',
    svg('&c;', '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'),
  ),
  text('SVG behind an XML declaration', svg(script, '\uFEFF<?xml version="1.0"?>\n<!-- GIF89a -->')),
  { name: 'compressed SVG', bytes: gzipSync(svg(script)), statuses: unsupported },
  text('HTML', `<!doctype html>${script}`),
  text('PDF', `%PDF-1.7\n1 0 obj <</S /JavaScript /JS (app.alert("${marker}"))>> endobj`),
  text('PostScript', '%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (w) file'),
  text(
    'ImageMagick drawing',
    'push graphic-context\nviewbox 0 0 640 480\nfill \'url(https://127.0.0.1/x.png"|id")\'\n',
  ),
  text('PHP', '<?php system($_GET["c"]); ?>'),
  text('Netpbm', 'P6 30000 30000 255\n'),
  hex('ZIP', '504b0304 14000000 0800'),
  hex('TIFF', '49492a00 08000000'),
  hex('BigTIFF', '4d4d002b 00080000'),
  hex('BMP', '424d 76000000 00000000'),
  hex('icon', '00000100 0100 1010'),
  hex('Photoshop', '38425053 0001'),
  hex('HEIC', '00000018 66747970 68656963 00000000 6d696631 68656963'),
  hex('MP4', '00000018 66747970 69736f6d 00000200 69736f6d 6d703432'),
  hex('JPEG XL', 'ff0a fa7f'),
  hex('JPEG 2000', '0000000c 6a502020 0d0a870a'),
  hex('WAV', '52494646 24000000 57415645'),
  hex('zeros', ''),
  { name: 'one byte', bytes: Buffer.of(0xff), statuses: unsupported },
  { name: 'nothing', bytes: Buffer.alloc(0), statuses: unsupported },
  { name: 'only a JPEG signature', bytes: Buffer.of(0xff, 0xd8, 0xff), statuses: refused },
];

/** Little to send, much to hold. */
function bombs(seeds: Seeds): readonly Hostile[] {
  const textBomb = deflateSync(Buffer.alloc(30_000_000, 'A'), { level: 9 });
  return [
    {
      name: 'PNG 30,000 × 30,000, no pixels',
      bytes: png({ width: 30_000, height: 30_000, rows: 0 }),
      statuses: refused,
    },
    {
      name: 'PNG of the largest size there is',
      bytes: png({ width: 2 ** 31 - 1, height: 2 ** 31 - 1, rows: 0 }),
      statuses: refused,
    },
    { name: 'PNG of no width', bytes: png({ width: 0, height: 9 }), statuses: refused },
    { name: 'GIF canvas 65,535 × 65,535', bytes: gif({ canvas: [65_535, 65_535], frame: [1, 1] }), statuses: either },
    { name: 'GIF frame 65,535 × 65,535', bytes: gif({ canvas: [1, 1], frame: [65_535, 65_535] }), statuses: refused },
    { name: 'GIF 20,000 frames', bytes: gif({ canvas: [500, 500], frame: [1, 1], frames: 20_000 }), statuses: either },
    { name: 'WebP 16,383 × 16,383', bytes: emptyWebp(16_383, 16_383), statuses: refused },
    {
      name: 'WebP animation on a huge canvas',
      bytes: animatedWebp(seeds.webp, [16_384, 16_384], 2),
      statuses: refused,
    },
    { name: 'WebP animation of 5,000 frames', bytes: animatedWebp(seeds.webp, [16, 16], 5_000), statuses: either },
    { name: 'AVIF that says 65,535 × 65,535', bytes: enlargedAvif(seeds.avif, 65_535, 65_535), statuses: refused },
    { name: 'AVIF that says 3,000 × 3,000', bytes: enlargedAvif(seeds.avif, 3_000, 3_000), statuses: either },
    { name: 'JPEG that says 65,500 × 65,500', bytes: enlargedJpeg(seeds.jpeg, 65_500, 65_500), statuses: refused },
    { name: 'JPEG that says 7,000 × 7,000', bytes: enlargedJpeg(seeds.jpeg, 7_000, 7_000), statuses: either },
    {
      name: 'progressive JPEG that says 4,900 × 4,900',
      bytes: enlargedJpeg(seeds.progressive, 4_900, 4_900),
      statuses: either,
    },
    { name: 'progressive JPEG of 3,000 scans', bytes: repeatedScans(seeds.progressive, 3_000), statuses: either },
    {
      name: 'PNG with 30 MB of text in it',
      bytes: png({ width: 9, height: 9, extra: [pngChunk('zTXt', Buffer.concat([Buffer.from('a\0\0'), textBomb]))] }),
      statuses: either,
    },
    {
      name: 'PNG with a profile of 30 MB in it',
      bytes: png({ width: 9, height: 9, extra: [pngChunk('iCCP', Buffer.concat([Buffer.from('a\0\0'), textBomb]))] }),
      statuses: either,
    },
    { name: 'PNG one row high', bytes: png({ width: 1_000_000, height: 1 }), statuses: either },
    { name: 'PNG one column wide', bytes: png({ width: 1, height: 1_000_000 }), statuses: either },
    { name: 'GIF one row high', bytes: gif({ canvas: [65_535, 1], frame: [65_535, 1] }), statuses: either },
  ];
}

const flat = (width: number, height: number): Sharp =>
  sharp({
    create: { width, height, channels: 4, background: { r: 9, g: 200, b: 90, alpha: 0.5 } },
    limitInputPixels: false,
  });

/**
 * Bombs that are as large as the limits let them be, or a little larger; seconds
 * each, so not for every test run.
 */
const largest = async (): Promise<readonly Hostile[]> => [
  { name: 'PNG 30,000 × 30,000, all pixels', bytes: png({ width: 30_000, height: 30_000 }), statuses: refused },
  {
    name: 'PNG 3,500 × 3,500, 16 bit, interlaced',
    bytes: await flat(3_500, 3_500).toColourspace('rgb16').png({ progressive: true }).toBuffer(),
    statuses: taken,
  },
  {
    name: 'PNG 5,000 × 5,000',
    bytes: png({ width: 5_000, height: 5_000, bitDepth: 8, colourType: 6 }),
    statuses: refused,
  },
  {
    name: 'JPEG 4,900 × 4,900, progressive',
    bytes: await flat(4_900, 4_900).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    statuses: taken,
  },
  { name: 'JPEG 7,000 × 7,000', bytes: await flat(7_000, 7_000).jpeg().toBuffer(), statuses: taken },
  {
    name: 'JPEG 7,000 × 7,000, progressive',
    bytes: await flat(7_000, 7_000).jpeg({ progressive: true }).toBuffer(),
    statuses: refused,
  },
  { name: 'WebP 7,000 × 7,000', bytes: await flat(7_000, 7_000).webp({ effort: 0 }).toBuffer(), statuses: taken },
  { name: 'GIF 4,900 × 4,900', bytes: await flat(4_900, 4_900).gif({ effort: 1 }).toBuffer(), statuses: taken },
  {
    name: 'AVIF 2,800 × 2,800, 12 bit',
    bytes: await flat(2_800, 2_800).avif({ effort: 0, bitdepth: 12, chromaSubsampling: '4:4:4' }).toBuffer(),
    statuses: taken,
  },
  { name: 'AVIF 5,000 × 5,000', bytes: await flat(5_000, 5_000).avif({ effort: 0 }).toBuffer(), statuses: refused },
];

/**
 * Pictures that are something else too. They are taken if they are pictures,
 * and only their pixels come out.
 */
function polyglots(seeds: Seeds): readonly Hostile[] {
  const zip = Buffer.from(`504b0304${Buffer.from(marker).toString('hex')}`, 'hex');
  // 0x2a2f is */ where the width is: a comment of JavaScript begins in the signature's line
  const gifJs = Buffer.concat([gif({ canvas: [0x2a2f, 1], frame: [1, 1] }), Buffer.from(`*/=1;alert("${marker}")`)]);
  const comment = Buffer.from(script);
  const withComment = Buffer.concat([
    seeds.jpeg.subarray(0, 2),
    Buffer.of(0xff, 0xfe, 0, comment.length + 2),
    comment,
    seeds.jpeg.subarray(2),
  ]);
  return [
    { name: 'GIF and JavaScript', bytes: gifJs, statuses: either },
    {
      name: 'GIF with a script in a comment',
      bytes: gif({ canvas: [9, 9], frame: [9, 9], comment: script }),
      statuses: either,
    },
    {
      name: 'PNG with HTML in a text',
      bytes: png({ width: 9, height: 9, extra: [pngChunk('tEXt', Buffer.from(`a\0${script}`))] }),
      statuses: taken,
    },
    { name: 'PNG with HTML behind it', bytes: Buffer.concat([seeds.png, comment]), statuses: taken },
    { name: 'JPEG with a script in a comment', bytes: withComment, statuses: taken },
    { name: 'JPEG with a ZIP behind it', bytes: Buffer.concat([seeds.jpeg, zip]), statuses: taken },
    { name: 'HTML behind a GIF signature', bytes: Buffer.from(`GIF89a${script}`), statuses: refused },
    {
      name: 'HTML behind a JPEG signature',
      bytes: Buffer.concat([Buffer.of(0xff, 0xd8, 0xff, 0xe0), comment]),
      statuses: refused,
    },
    { name: 'PDF before a JPEG', bytes: Buffer.concat([Buffer.from('%PDF-1.4\n'), seeds.jpeg]), statuses: unsupported },
  ];
}

/** Each format cut short at every so many bytes. */
function truncated(seeds: Seeds, cuts: number): readonly Hostile[] {
  return formats.flatMap((format) => {
    const seed = seeds[format];
    return Array.from({ length: cuts }, (_, at) => {
      // the last 16 bytes may hold no more than an end marker
      const length = Math.floor(((seed.length - 16) * (at + 1)) / (cuts + 1));
      return {
        name: `${format} cut at ${length} of ${seed.length}`,
        bytes: seed.subarray(0, length),
        statuses: [415, 422],
      };
    });
  });
}

/** Each format with bytes overwritten, the same ones every time. */
function damaged(seeds: Seeds, count: number): readonly Hostile[] {
  let state = 1;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  return formats.flatMap((format) =>
    Array.from({ length: count }, (_, at) => {
      const bytes = Buffer.from(seeds[format]);
      for (let times = 0; times < 4; times++) bytes[next(bytes.length)] = next(256);
      return { name: `${format} damaged ${at}`, bytes, statuses: [200, 415, 422] };
    }),
  );
}

/** @param size `quick` leaves out what takes seconds, and most of what is cut short or damaged */
export async function hostileImages(size: 'quick' | 'all'): Promise<readonly Hostile[]> {
  const seeds = await makeSeeds();
  const [cuts, damages] = size === 'quick' ? [4, 6] : [60, 200];
  const tiny = await Promise.all(
    formats.map(async (format) => {
      const one = sharp({ create: { width: 1, height: 1, channels: 3, background: { r: 9, g: 9, b: 9 } } });
      return { name: `1 × 1 ${format}`, bytes: await one.toFormat(format).toBuffer(), statuses: taken };
    }),
  );
  return [
    ...foreign,
    ...tiny,
    ...polyglots(seeds),
    ...bombs(seeds),
    ...(size === 'all' ? await largest() : []),
    ...truncated(seeds, cuts),
    ...damaged(seeds, damages),
  ];
}
