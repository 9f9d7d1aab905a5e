import sharp, { type Sharp } from 'sharp';

import type { Answer, Call } from './api.js';
import type { Gatehouse } from './start-gatehouse.js';

/** Every picture differs from the others, as those of people do. */
let seed = 1;

/** A picture of its own: a colour with a gradient over it. */
export function picture(width = 80, height = 60, background?: { r: number; g: number; b: number }): Sharp {
  const own = background ?? { r: (seed * 37) % 256, g: (seed * 91) % 256, b: seed++ % 256 };
  return sharp({ create: { width, height, channels: 3, background: own } });
}

/** A form with a file in it, as a browser sends it. */
export function form(file: Uint8Array, field = 'file', fields: Record<string, string> = {}): FormData {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append(field, new Blob([Uint8Array.from(file)], { type: 'image/png' }), 'picture.png');
  return body;
}

/** Gives a user a picture. */
export const putAvatar = ({ api }: Gatehouse, id: string, file: Uint8Array, call: Call = {}): Promise<Answer> =>
  api.put(`/v1/users/${id}/avatar`, { body: form(file), ...call });

export type Fetched = { readonly status: number; readonly headers: Headers; readonly bytes: Buffer };

/** A picture at the address that a user's `avatar.url` names, on the service itself. */
export async function fetchPicture({ url }: Gatehouse, address: string, init: RequestInit = {}): Promise<Fetched> {
  const answer = await fetch(url + new URL(address, url).pathname, init);
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

/** The address of another size of a picture. */
export const inSize = (address: string, size: number): string => address.replace('-256.', `-${size}.`);
