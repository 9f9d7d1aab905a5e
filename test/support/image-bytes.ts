import { crc32, deflateSync } from 'node:zlib';

/** Builders of image files byte by byte, for what no encoder would write. */

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u16le = (value: number): Buffer => Buffer.of(value & 0xff, value >> 8);
const u32le = (value: number): Buffer => Buffer.from(u32(value).toReversed());
const u24le = (value: number): Buffer => u32le(value).subarray(0, 3);

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([u32(data.length), body, u32(crc32(body))]);
}

const pngSignature = Buffer.from('89504e470d0a1a0a', 'hex');

type Png = {
  readonly width: number;
  readonly height: number;
  readonly bitDepth?: number;
  readonly colourType?: number;
  readonly isInterlaced?: boolean;
  /** Rows of zeros that are really there; all of them if absent. */
  readonly rows?: number;
  readonly extra?: readonly Buffer[];
};

const channels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** A PNG of zeros: a thousand times smaller than its pixels. */
export function png({
  width,
  height,
  bitDepth = 1,
  colourType = 0,
  isInterlaced = false,
  rows,
  extra = [],
}: Png): Buffer {
  const rowBytes = 1 + Math.ceil((width * bitDepth * (channels[colourType] ?? 1)) / 8);
  const header = Buffer.concat([u32(width), u32(height), Buffer.of(bitDepth, colourType, 0, 0, isInterlaced ? 1 : 0)]);
  return Buffer.concat([
    pngSignature,
    pngChunk('IHDR', header),
    ...extra,
    pngChunk('IDAT', deflateSync(Buffer.alloc(rowBytes * (rows ?? height)), { level: 9 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

type Gif = {
  readonly canvas: readonly [width: number, height: number];
  readonly frame: readonly [width: number, height: number];
  readonly frames?: number;
  readonly comment?: string;
};

/** A GIF whose frames say that they are larger than their data is. */
export function gif({ canvas, frame, frames = 1, comment }: Gif): Buffer {
  const note = comment === undefined ? [] : [Buffer.of(0x21, 0xfe, comment.length), Buffer.from(comment), Buffer.of(0)];
  const one = Buffer.concat([
    Buffer.from('21f90400010000002c00000000', 'hex'),
    u16le(frame[0]),
    u16le(frame[1]),
    Buffer.from('000202440100', 'hex'),
  ]);
  return Buffer.concat([
    Buffer.from('GIF89a'),
    u16le(canvas[0]),
    u16le(canvas[1]),
    Buffer.from('800000ff0000ffffff', 'hex'),
    ...note,
    ...Array.from({ length: frames }, () => one),
    Buffer.of(0x3b),
  ]);
}

const riffChunk = (type: string, data: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(type), u32le(data.length), data, Buffer.alloc(data.length % 2)]);
const riff = (...chunks: readonly Buffer[]): Buffer => {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks]);
  return Buffer.concat([Buffer.from('RIFF'), u32le(body.length), body]);
};

/** A lossless WebP that says how large it is, and has no pixels. */
export const emptyWebp = (width: number, height: number): Buffer =>
  riff(
    riffChunk(
      'VP8L',
      Buffer.concat([Buffer.of(0x2f), u32le(((height - 1) * 0x4000 + (width - 1)) >>> 0), Buffer.alloc(16)]),
    ),
  );

/** An animation on a canvas of that size, around the one frame of a plain WebP. */
export function animatedWebp(still: Buffer, canvas: readonly [number, number], frames: number): Buffer {
  const picture = still.subarray(12);
  const flags = Buffer.concat([Buffer.of(0x02, 0, 0, 0), u24le(canvas[0] - 1), u24le(canvas[1] - 1)]);
  // at 0, 0, in the size of the still (16 pixels), for a tenth of a second
  const frame = Buffer.concat([u24le(0), u24le(0), u24le(15), u24le(15), u24le(100), Buffer.of(0), picture]);
  return riff(
    riffChunk('VP8X', flags),
    riffChunk('ANIM', Buffer.alloc(6)),
    ...Array.from({ length: frames }, () => riffChunk('ANMF', frame)),
  );
}

/**
 * An AVIF that says that it is larger: the size of every `ispe` box is
 * overwritten (ISO/IEC 23008-12 §6.5.3).
 */
export function enlargedAvif(avif: Buffer, width: number, height: number): Buffer {
  const bytes = Buffer.from(avif);
  for (let at = bytes.indexOf('ispe'); at !== -1; at = bytes.indexOf('ispe', at + 1)) {
    bytes.writeUInt32BE(width, at + 8);
    bytes.writeUInt32BE(height, at + 12);
  }
  return bytes;
}

/**
 * A JPEG that says that it is larger: the size in its frame header is
 * overwritten (ITU T.81 §B.2.2).
 */
export function enlargedJpeg(jpeg: Buffer, width: number, height: number): Buffer {
  const bytes = Buffer.from(jpeg);
  const at = Math.max(bytes.indexOf('ffc0', 'hex'), bytes.indexOf('ffc2', 'hex'));
  bytes.writeUInt16BE(height, at + 5);
  bytes.writeUInt16BE(width, at + 7);
  return bytes;
}

/** A progressive JPEG with its last scan over and over: little to send, much to decode. */
export function repeatedScans(progressive: Buffer, times: number): Buffer {
  const start = progressive.lastIndexOf(Buffer.from('ffda', 'hex'));
  const scan = progressive.subarray(start, -2);
  return Buffer.concat([
    progressive.subarray(0, start),
    ...Array.from({ length: times }, () => scan),
    Buffer.of(0xff, 0xd9),
  ]);
}

/**
 * An animation of two frames, red and blue, 16 × 16, with the brand `avis`
 * (made with Pillow 12.3, libavif).
 */
export const animatedAvif = Buffer.from(
  `
  AAAALGZ0eXBhdmlzAAAAAGF2aWZhdmlzbXNmMWlzbzhtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAA
  AAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAPlAAAAJQAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFD
  b2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAEAAAABAAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEA
  DQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAACxm1vb3YAAAB4bXZoZAEAAAAAAAAA5zBT6QAAAADnMFPpAAAD6P//////////AAEAAAEAAAAA
  AAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAJGdHJhawAAAGh0
  a2hkAQAAAQAAAADnMFPpAAAAAOcwU+kAAAABAAAAAP//////////AAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAA
  AAAAQAAAAAAQAAAAEAAAAAAALGVkdHMAAAAkZWxzdAEAAAEAAAABAAAAAAAAAMgAAAAAAAAAAAABAAAAAAGqbWRpYQAAACxtZGhkAQAAAAAAAADn
  MFPpAAAAAOcwU+kAAAPoAAAAAAAAAMhVxAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAABVW1pbmYAAAAUdm1oZAAAAAEAAAAA
  AAAAAAAAACRkaW5mAAAAHGRyZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAARVzdGJsAAAAlXN0c2QAAAAAAAAAAQAAAIVhdjAxAAAAAAAAAAEAAAAA
  AAAAAAAAAAAAAAAAABAAEABIAAAASAAAAAAAAAABCkFPTSBDb2RpbmcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGP//AAAADGF2MUOBAAwAAAAAE2Nv
  bHJuY2x4AAEADQAGgAAAABBjY3N0AAAAAHwAAAAAAAAYc3R0cwAAAAAAAAABAAAAAgAAAGQAAAAcc3RzYwAAAAAAAAABAAAAAQAAAAIAAAABAAAA
  HHN0c3oAAAAAAAAAAAAAAAIAAAAlAAAAHgAAABRzdGNvAAAAAAAAAAEAAAPlAAAAFHN0c3MAAAAAAAAAAQAAAAEAAABLbWRhdBIACg0AAAABn/m1
  8iAhoNCAMhIQAMwAAAKAAIACmme+5uckov0SADIaMAPAgAAABswAAAKAACAAGFPHX/LGuGm3yeA=
`,
  'base64',
);
